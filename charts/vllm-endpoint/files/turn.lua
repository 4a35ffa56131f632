-- Envoy counts a request for its bound on the load only once it has a connection. Of those that begin alike and come at
-- once, each is to wait (the filter `burst` does) until the one before it has been counted. Each worker thread has its
-- own turns; they are forgotten every second, so that no more than a second's beginnings are kept.
local TURN, LONGEST, FORGOTTEN = 2, 100, 1000 -- milliseconds
local turns, begun = {}, 0

-- Milliseconds until the turn of a request. The clock is the wall's, which may step back.
local function wait(hash, now)
  if now < begun or now - begun > FORGOTTEN then
    turns, begun = {}, now
  end
  local turn = math.min(math.max(turns[hash] or now, now), now + LONGEST)
  turns[hash] = turn + TURN
  return turn - now
end

function envoy_on_request(handle)
  local hash = handle:headers():get("x-llm-prefix")
  local milliseconds = hash and wait(hash, handle:timestamp()) or 0
  if milliseconds > 0 then
    handle:headers():replace("x-envoy-fault-delay-request", tostring(milliseconds))
  end
end
