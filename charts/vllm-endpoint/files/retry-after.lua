-- When a client that has used up its limit may ask again. The filters that limit say it in a header of their own, in
-- whole seconds that they round down.

function envoy_on_response(handle)
  local headers = handle:headers()
  local limited = headers:get(":status") == "429"
  for place = 0, headers:getNumValues("x-ratelimit-reset") - 1 do
    local seconds = tonumber(headers:getAtIndex("x-ratelimit-reset", place))
    local said = tonumber(headers:get("retry-after") or "0") or 0
    if limited and seconds ~= nil and seconds >= said then
      headers:replace("retry-after", tostring(seconds + 1))
    end
  end
  -- They count what one replica has seen, or tokens: neither is what clients take them for.
  headers:remove("x-ratelimit-limit")
  headers:remove("x-ratelimit-remaining")
  headers:remove("x-ratelimit-reset")
end
