// The certificate of a task: what its served predictions gained over the model of day one, everything recomputed from the events.
#pragma once

#include "base/json.h"
#include "ledger/ledger.h"

namespace everlearn {

// {"rows", "gain": {"value", "lower", "upper"}, "task", "metric", "compared_loss", "champion", "day_one": {"name", "hash"} or null,
// "since", "predictions", "outcomes", "decisions", "chain", "events", "recomputed_equal"}; `rows` are those that the gain is of. Throws
// kDamaged where the events do not fit their hash chain.
JsonObject CertificateJson(const Ledger& ledger);

}  // namespace everlearn
