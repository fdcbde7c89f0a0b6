// The two kinds of sessions of the HTTP server: over TCP, and over TLS on TCP.
//
// For server/http_server.cc.
#pragma once

#include <memory>
#include <string>

#include "server/http_session.h"

namespace everlearn {

// Over TLS where the core has a certificate.
std::shared_ptr<HttpSession> MakeHttpSession(std::shared_ptr<ServerCore> core, Socket socket, std::string address, bool turned_away);

}  // namespace everlearn
