// Sends each event of the service to one URL as JSON, beside everything else: a slow or absent receiver costs nothing but its own messages.
//
// Send() from any thread. Three attempts each; beyond a thousand waiting messages the oldest are dropped, and said so in the log.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/json.h"

namespace everlearn {

class Webhook {
 public:
  // Throws kUsage where the url is none.
  static std::unique_ptr<Webhook> Start(const std::string& url, std::function<void(const std::string&)> log);
  virtual ~Webhook() = default;  // sends what is waiting, for at most two seconds
  virtual void Send(const JsonObject& message) = 0;
};

}  // namespace everlearn
