#include "agent/kinds/probes/http_probe.h"

#include <algorithm>
#include <fmt/format.h>

#include "agent/kinds/probes/curl.h"
#include "agent/kinds/probes/patience.h"

namespace relab::agent::probes {

namespace {

using Params = schema::HttpProbe;
using Facts = schema::HttpProbe::Facts;

Result<void> check_wish(Params::Reader params) {
  const auto url = view(params.getUrl());
  const bool is_plain = std::ranges::all_of(url, [](char c) { return c > ' ' && c < 0x7f; });
  const bool is_https = url.starts_with("https://");
  if (!is_plain || !(is_https || url.starts_with("http://")))
    return fail(Fault::invalid, fmt::format("'{}' is no URL of HTTP", url));
  const auto fingerprint = params.getFingerprint().size() != 0;
  const auto authority = params.getAuthority().size() != 0;
  if ((fingerprint || authority) && !is_https)
    return fail(Fault::invalid, "there is no certificate without https");
  if (fingerprint && authority)
    return fail(Fault::invalid, "both a fingerprint and an authority are given");
  return {};
}

Result<Message<Facts>> look(Params::Reader params, std::uint32_t tries, Host& host) {
  RELAB_TRY(const auto answer,
            request(host, {.url = str(params.getUrl()),
                           .authority = str(params.getAuthority()),
                           .tells_certificate = params.getFingerprint().size() != 0,
                           .timeout = std::chrono::seconds(params.getTimeout())}));
  const auto& report = answer.report;
  Draft<Facts> facts;
  facts->setUrl(params.getUrl());
  facts->setAnswered(answer.exit_code == 0 && report.status != 0);
  facts->setStatus(report.status);
  facts->setError(report.complaint);
  facts->setExitCode(static_cast<std::uint16_t>(answer.exit_code));
  const auto text = view(params.getText());
  facts->setFound(!text.empty() && answer.body.find(text) != std::string::npos);
  facts->setSize(report.size);
  facts->setFingerprint(report.fingerprint);
  facts->setPeer(report.peer);
  facts->setTries(tries);
  return std::move(facts).finish();
}

}  // namespace

Result<Message<Facts>> HttpProbe::observe(Params::Reader params, Host& host) {
  RELAB_CHECK(check_wish(params));
  return look_until_met<HttpProbe>(
      params, host, fmt::format("waiting for the right answer of {}", view(params.getUrl())),
      [&](std::uint32_t tries) { return look(params, tries, host); });
}

Result<void> HttpProbe::judge(Params::Reader params, Facts::Reader facts) {
  const auto url = view(params.getUrl());
  if (!facts.getAnswered())
    return fail(Fault::unreachable, fmt::format("{} gives no answer: curl ended with {}: {}", url,
                                                facts.getExitCode(), view(facts.getError())));
  const auto fingerprint = params.getFingerprint();
  if (fingerprint.size() != 0 && view(fingerprint) != view(facts.getFingerprint()))
    return fail(Fault::conflict,
                fmt::format("{} has another certificate: its fingerprint is {}", url,
                            facts.getFingerprint().size() == 0 ? "not told"
                                                               : view(facts.getFingerprint())));
  if (facts.getStatus() != params.getStatus())
    return fail(Fault::conflict, fmt::format("{} answers with {}, not with {}", url,
                                             facts.getStatus(), params.getStatus()));
  if (params.getText().size() == 0 || facts.getFound()) return {};
  return fail(Fault::conflict, fmt::format("the answer of {} does not have '{}' in it", url,
                                           view(params.getText())));
}

}  // namespace relab::agent::probes
