-- Requests that begin alike go to one replica, whose prefix cache has the beginning already: the hash of a body's first
-- bytes is what the ring of a model's replicas goes by. Last of all it has Envoy choose the route, now that client and
-- model are known.
local bit = require("bit")

-- Envoy counts a request for its bound on the load only once it has a connection. Of those that begin alike and come at
-- once, each is to wait (the filter `burst` does) until the one before it has been counted.
local TURN, LONGEST, FORGOTTEN = 2, 500, 1000 -- milliseconds
local turns, begun = {}, 0

-- Milliseconds until the turn of a request.
local function wait(hash, now)
  if now - begun > FORGOTTEN then
    turns, begun = {}, now
  end
  local turn = math.max(turns[hash] or now, now)
  turns[hash] = math.min(turn + TURN, now + LONGEST)
  return turn - now
end

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
    local milliseconds = wait(hash, handle:timestamp())
    if milliseconds > 0 then
      handle:headers():replace("x-envoy-fault-delay-request", tostring(milliseconds))
    end
  end
  handle:clearRouteCache()
end
