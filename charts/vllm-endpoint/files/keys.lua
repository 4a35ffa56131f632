-- A client's key is known by its SHA-256, so that the Secret of the clients has no key in it: what a request shows is
-- taken off, and its digest goes on to the filter that knows the clients. A request that this fails for has no key.
-- FIPS 180-4, https://doi.org/10.6028/NIST.FIPS.180-4: the numbers in brackets are its sections.
local bit = require("bit")
local band, bor, bxor, bnot = bit.band, bit.bor, bit.bxor, bit.bnot
local lshift, rshift, ror, tobit = bit.lshift, bit.rshift, bit.ror, bit.tobit

-- [4.2.2] [5.3.3] The first 32 bits of the fractional parts of the roots of the first primes.
local CONSTANTS, START = {}, {}
local candidate = 2
while #CONSTANTS < 64 do
  local prime = true
  for divisor = 2, math.sqrt(candidate) do
    prime = prime and candidate % divisor ~= 0
  end
  if prime then
    CONSTANTS[#CONSTANTS + 1] = tobit(math.floor(candidate ^ (1 / 3) % 1 * 2 ^ 32))
    if #START < 8 then
      START[#START + 1] = tobit(math.floor(math.sqrt(candidate) % 1 * 2 ^ 32))
    end
  end
  candidate = candidate + 1
end

-- [6.2.2] One block of 64 bytes, added to the hash.
local function add(hash, block)
  local words = {}
  for word = 1, 16 do
    local first, second, third, fourth = string.byte(block, word * 4 - 3, word * 4)
    words[word] = bor(lshift(first, 24), lshift(second, 16), lshift(third, 8), fourth)
  end
  for word = 17, 64 do
    local x, y = words[word - 15], words[word - 2]
    local mixed = bxor(ror(x, 7), ror(x, 18), rshift(x, 3)) + bxor(ror(y, 17), ror(y, 19), rshift(y, 10))
    words[word] = tobit(mixed + words[word - 16] + words[word - 7])
  end
  local a, b, c, d, e, f, g, h = unpack(hash)
  for word = 1, 64 do
    local chosen = bxor(band(e, f), band(bnot(e), g))
    local most = bxor(band(a, b), band(a, c), band(b, c))
    local first = h + bxor(ror(e, 6), ror(e, 11), ror(e, 25)) + chosen + CONSTANTS[word] + words[word]
    local second = bxor(ror(a, 2), ror(a, 13), ror(a, 22)) + most
    a, b, c, d, e, f, g, h = tobit(first + second), a, b, c, tobit(d + first), e, f, g
  end
  for place, value in ipairs({a, b, c, d, e, f, g, h}) do
    hash[place] = tobit(hash[place] + value)
  end
end

-- [5.1.1] The text, a bit that ends it, and its length in bits, in whole blocks.
local function sha256(text)
  local padded = text .. "\128" .. string.rep("\0", (55 - #text) % 64 + 4)
  for shift = 24, 0, -8 do
    padded = padded .. string.char(band(rshift(#text * 8, shift), 255))
  end
  local hash = {unpack(START)}
  for first = 1, #padded, 64 do
    add(hash, string.sub(padded, first, first + 63))
  end
  for place, value in ipairs(hash) do
    hash[place] = bit.tohex(value)
  end
  return table.concat(hash)
end

function envoy_on_request(handle)
  local headers = handle:headers()
  local shown = headers:get("authorization")
  headers:remove("authorization")
  local key = shown and string.match(shown, "^[Bb]earer +(.+)$")
  if key and #key <= 1024 then
    headers:replace("x-llm-key", sha256(key))
  end
end
