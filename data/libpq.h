// The functions of libpq, loaded when first asked for. Safe from any thread.
#pragma once

#include <postgresql/libpq-fe.h>

namespace everlearn {

#define EVERLEARN_LIBPQ_FUNCTIONS(apply)                                                                                               \
  apply(PQclear) apply(PQconninfoFree) apply(PQconninfoParse) apply(PQconnectdbParams) apply(PQconsumeInput) apply(PQdescribePrepared) \
      apply(PQenterPipelineMode) apply(PQerrorMessage) apply(PQexec) apply(PQexecParams) apply(PQexitPipelineMode) apply(PQfinish)     \
          apply(PQfname) apply(PQfreemem) apply(PQftype) apply(PQgetCopyData) apply(PQgetResult) apply(PQgetisnull) apply(PQgetlength) \
              apply(PQgetvalue) apply(PQnfields) apply(PQnotifies) apply(PQntuples) apply(PQparameterStatus) apply(PQpipelineSync)     \
                  apply(PQprepare) apply(PQresultErrorField) apply(PQresultErrorMessage) apply(PQresultStatus) apply(PQsendPrepare)    \
                      apply(PQsendQueryParams) apply(PQsendQueryPrepared) apply(PQsetNoticeProcessor) apply(PQsetSingleRowMode)        \
                          apply(PQsocket) apply(PQstatus)

struct Libpq {
#define EVERLEARN_DECLARE(name) decltype(&::name) name = nullptr;
  EVERLEARN_LIBPQ_FUNCTIONS(EVERLEARN_DECLARE)
#undef EVERLEARN_DECLARE
};

// Throws kResource where the library is not installed.
const Libpq& LoadLibpq();

}  // namespace everlearn
