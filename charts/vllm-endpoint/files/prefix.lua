-- Requests that begin alike go to one replica, whose prefix cache has the beginning already: the hash of a body's first
-- bytes is what the ring of a model's replicas goes by. Last of all it has Envoy choose the route, now that client and
-- model are known.
local bit = require("bit")

function envoy_on_request(handle)
  -- No other method reaches an engine, and a tunnel (CONNECT) has no end to wait for.
  local body = handle:headers():get(":method") == "POST" and handle:body()
  if body then
    local text = body:getBytes(0, math.min(body:length(), BYTES))
    local hash = 0
    for place = 1, #text do
      hash = bit.tobit(bit.bxor(bit.rol(hash, 5), string.byte(text, place)) * 33)
    end
    handle:headers():replace("x-llm-prefix", bit.tohex(hash))
  end
  handle:clearRouteCache()
end
