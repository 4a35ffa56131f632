# What pint (https://cloudflare.github.io/pint/) is not asked about the rules, each with its reason.

checks {
  disabled = [
    # Alerts ask for series that another group records, at most one evaluation before. One group would evaluate all of
    # them one after the other, and shares over days with those over minutes.
    "rule/dependency",
  ]
}

# The label is vLLM's: all routes of the API begin so, and there is no other label that tells them from the rest.
check "promql/regexp" {
  smelly = false
}

rule {
  match {
    name = "VLLMRestarting"
  }
  # It warns of a sum that is too high for as long as a Prometheus that restarts lacks a part of it. This product has a
  # factor of 1: without it there is none.
  disable = ["promql/fragile"]
}

# A class of answers has a series from its first answer on: a service without errors has none of 5xx, and the rules count
# with that.
# A Prometheus of a test has seen a service for minutes, so no more is looked back on.
check "promql/series" {
  lookbackRange = "1m"
  lookbackStep  = "10s"
  ignoreLabelsValue = {
    "http_requests_total" = ["status"]
  }
}
