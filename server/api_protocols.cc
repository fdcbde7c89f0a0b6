#include "server/api.h"
namespace everlearn {
void Api::ProtocolServer(Call& call) { call.respond({}); }
void Api::ProtocolModel(Call& call) { call.respond({}); }
void Api::ProtocolReady(Call& call) { call.respond({}); }
void Api::ProtocolInfer(Call& call) { call.respond({}); }
void Api::Invocations(Call& call) { call.respond({}); }
void Api::OpenApi(Call& call) { call.respond({}); }
}  // namespace everlearn
