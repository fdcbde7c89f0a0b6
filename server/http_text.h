// The text of HTTP: titles of statuses, the head of an answer, ids of requests.
//
// Pure but for the clock and random numbers; safe from any thread.
#pragma once

#include <string>
#include <string_view>

#include "server/http.h"

namespace everlearn {

const char* StatusTitle(int status);  // "Not Found"; "Unknown" for what is not registered

bool StatusHasBody(int status);  // not of 1xx, 204, 304

// Status line and headers, to the empty line. `old_version`: the request was HTTP/1.0, which must be told of a kept connection.
std::string ResponseHead(const HttpResponse& response, const std::string& request_id, bool keep_alive, bool old_version);

// The id as the client sent it, where that is plain (at most 64 letters, digits, ".", "_", "-", ":"), else a random one.
std::string RequestId(std::string_view sent);

}  // namespace everlearn
