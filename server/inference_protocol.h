// The Open Inference Protocol V2 (KServe): metadata, requests and answers, with the binary tensor extension that Triton's clients use.
//
// One input a column, shape [rows] or [rows, 1]. Pure functions, any thread.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "data/schema.h"
#include "data/task.h"
#include "server/http.h"

namespace everlearn {

JsonObject ProtocolServerMetadata(const std::string& version);
JsonObject ProtocolModelMetadata(const std::string& name, const std::string& version, const Task& task, const Schema& schema,
                                 const std::vector<std::string>& columns);

struct InferRequest {
  JsonArray rows;
  std::string id;
  std::vector<std::pair<std::string, bool>> outputs;  // asked for, and whether in binary; empty: all, in JSON
};
// `header_length` is the header Inference-Header-Content-Length, empty where all is JSON. Throws kInput naming the input.
InferRequest ParseInferRequest(const std::string& body, const std::string& header_length);

// ids: of the predictions, so that outcomes can be joined; predictions: one label or number a row; probabilities: rows × classes, empty for
// regression.
HttpResponse InferResponse(const InferRequest& request, const std::string& model, const std::string& version, const JsonArray& ids,
                           const JsonArray& predictions, const std::vector<double>& probabilities, size_t classes);

}  // namespace everlearn
