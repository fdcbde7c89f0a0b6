-- The requests of benchmarks/serving for wrk: one body a line of a file. Prints what was measured as one line of JSON.
local bodies, at, step = {}, 0, 1
function init(args)
  local path, target = args[1], args[2]
  for line in io.lines(path) do bodies[#bodies + 1] = wrk.format("POST", target, {["Content-Type"] = "application/json"}, line) end
end
function request()
  at = at % #bodies + 1
  return bodies[at]
end
function done(summary, latency, requests)
  local e = summary.errors
  io.write(string.format('JSON {"requests": %d, "seconds": %f, "errors": %d, "p50": %f, "p99": %f, "p999": %f}\n', summary.requests, summary.duration / 1e6,
    e.connect + e.read + e.write + e.status + e.timeout, latency:percentile(50) / 1e6, latency:percentile(99) / 1e6, latency:percentile(99.9) / 1e6))
end
