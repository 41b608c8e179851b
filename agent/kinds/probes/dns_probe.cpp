#include "agent/kinds/probes/dns_probe.h"

#include <algorithm>
#include <cctype>
#include <fmt/format.h>

#include "agent/kinds/probes/dig.h"
#include "agent/kinds/probes/patience.h"
#include "agent/kinds/support/fill.h"
#include "agent/kinds/support/gaps.h"

namespace relab::agent::probes {

namespace {

using Params = schema::DnsProbe;
using Facts = schema::DnsProbe::Facts;
using Type = schema::DnsProbe::Type;

std::string_view type_of(Type type) {
  switch (type) {
    case Type::UNSET:
    case Type::A:
      return "A";
    case Type::AAAA:
      return "AAAA";
    case Type::PTR:
      return "PTR";
    case Type::TXT:
      return "TXT";
    case Type::CNAME:
      return "CNAME";
    case Type::MX:
      return "MX";
    case Type::SRV:
      return "SRV";
  }
  return {};
}

/// Nothing that dig could take for an option, or for another server.
bool is_plain(std::string_view text, std::string_view more) {
  return !text.empty() && text[0] != '-' && std::ranges::all_of(text, [&](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 ||
           more.find(c) != std::string_view::npos;
  });
}

Result<void> check_wish(Params::Reader params) {
  if (!is_plain(view(params.getName()), "_.:-"))
    return fail(Fault::invalid, fmt::format("'{}' is no name", str(params.getName())));
  if (!is_plain(view(params.getServer()), ".:"))
    return fail(Fault::invalid, fmt::format("'{}' is no address", str(params.getServer())));
  if (type_of(params.getType()).empty())
    return fail(Fault::unsupported, "an unknown type of record");
  if (!params.getNone() || params.getExpected().size() == 0) return {};
  return fail(Fault::invalid, "an answer is expected, and that there is none");
}

Result<Message<Facts>> look(Params::Reader params, std::uint32_t tries, Host& host) {
  const auto type = type_of(params.getType());
  const auto name = str(params.getName());
  // The first option: no configuration file of anybody's is read.
  Command command{.argv = {"dig", "-r", "@" + str(params.getServer()), "+noall", "+comments",
                           "+answer", "+authority", "+time=3", "+tries=2"}};
  if (params.getType() == Type::PTR)
    command.argv.insert(command.argv.end(), {"-x", name});
  else
    command.argv.insert(command.argv.end(), {"-t", std::string(type), "-q", name});
  RELAB_TRY(const auto output, host.run(command));
  if (output.truncated) return fail(Fault::damaged, "dig printed more than is ever read of it");
  RELAB_TRY(const auto answer, parse_dig(output.out, type));
  Draft<Facts> facts;
  facts->setName(name);
  facts->setType(params.getType());
  facts->setServer(params.getServer());
  facts->setTries(tries);
  // 9 is its word for no answer at all; after any other failure what it printed means nothing.
  const bool has_answered = output.status == 0 && !answer.status.empty();
  if (has_answered && answer.status == "NOERROR" && !answer.is_last_word) {
    facts->setError("it only points elsewhere: to other servers, or to another name");
    return std::move(facts).finish();
  }
  if (has_answered) {
    facts->setStatus(answer.status);
    auto values = facts->initAnswers(size_of(answer.values));
    for (unsigned i = 0; i < values.size(); ++i) values.set(i, answer.values[i]);
    return std::move(facts).finish();
  }
  facts->setError(fmt::format("dig ended with {}: {}", output.status,
                              answer.complaint.empty() ? first_words(output) : answer.complaint));
  return std::move(facts).finish();
}

std::string words_of(const std::vector<std::string>& values) {
  return values.empty() ? "nothing" : fmt::format("{}", fmt::join(values, ", "));
}

}  // namespace

Result<Message<Facts>> DnsProbe::observe(Params::Reader params, Host& host) {
  RELAB_CHECK(check_wish(params));
  return look_until_met<DnsProbe>(
      params, host, fmt::format("waiting for the right answer about {}", view(params.getName())),
      [&](std::uint32_t tries) { return look(params, tries, host); });
}

Result<void> DnsProbe::judge(Params::Reader params, Facts::Reader facts) {
  const auto name = view(params.getName());
  const auto server = view(params.getServer());
  const auto status = view(facts.getStatus());
  if (status.empty())
    return fail(Fault::unreachable, fmt::format("{} gives no answer about {}: {}", server, name,
                                                view(facts.getError())));
  std::vector<std::string> answers;
  for (const auto answer : facts.getAnswers()) answers.push_back(str(answer));
  const auto differs = [&](std::string_view wanted) {
    return fail(Fault::conflict, fmt::format("{} answers about {} with {} ({}), not with {}",
                                             server, name, words_of(answers), status, wanted));
  };
  if (params.getNone()) {
    if ((status == "NXDOMAIN" || status == "NOERROR") && answers.empty()) return {};
    return differs("that there is none");
  }
  std::vector<std::string> expected;
  for (const auto value : params.getExpected())
    expected.push_back(plain_value(view(value), type_of(params.getType())));
  std::ranges::sort(expected);
  if (status != "NOERROR" || answers.empty())
    return differs(expected.empty() ? "any record" : words_of(expected));
  if (expected.empty() || expected == answers) return {};
  return differs(words_of(expected));
}

}  // namespace relab::agent::probes
