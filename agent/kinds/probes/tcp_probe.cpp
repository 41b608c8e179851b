// A connection that fails proves nothing by itself: with the cable pulled, all of them do. So the
// control is asked right before and right after, and must answer both times.

#include "agent/kinds/probes/tcp_probe.h"

#include <fmt/format.h>

#include "agent/kinds/probes/patience.h"

namespace relab::agent::probes {

namespace {

using Params = schema::TcpProbe;
using Facts = schema::TcpProbe::Facts;
using Expected = schema::TcpProbe::Expected;
using Outcome = schema::TcpProbe::Outcome;

Outcome outcome_of(Reach reach) {
  switch (reach) {
    case Reach::open:
      return Outcome::OPEN;
    case Reach::refused:
      return Outcome::REFUSED;
    case Reach::silent:
      return Outcome::SILENT;
    case Reach::unreachable:
      return Outcome::UNREACHABLE;
    case Reach::no_network:
      return Outcome::NO_NETWORK;
  }
  return Outcome::UNSET;
}

std::string_view words_of(Outcome outcome) {
  switch (outcome) {
    case Outcome::UNSET:
      return "was not tried";
    case Outcome::OPEN:
      return "accepts connections";
    case Outcome::REFUSED:
      return "refuses connections";
    case Outcome::SILENT:
      return "does not answer";
    case Outcome::UNREACHABLE:
      return "cannot be reached at all";
    case Outcome::NO_NETWORK:
      return "cannot be tried: this machine has no way to its network";
  }
  return {};
}

struct Ends {
  Endpoint target;
  Endpoint control;
  Millis timeout;
  bool has_control() const { return !control.address.empty(); }
};

Result<Message<Facts>> look(const Ends& ends, std::uint32_t tries, Host& host) {
  Draft<Facts> facts;
  facts->setAddress(ends.target.address);
  facts->setPort(ends.target.port);
  facts->setTries(tries);
  const auto ask_control = [&]() -> Result<void> {
    if (!ends.has_control()) return {};
    const auto before = facts->getControl();
    RELAB_TRY(const auto reached, host.connect(ends.control, ends.timeout));
    const auto now = outcome_of(reached.reach);
    // Once it has failed, it has failed.
    if (before == Outcome::UNSET || before == Outcome::OPEN) facts->setControl(now);
    return {};
  };
  RELAB_CHECK(ask_control());
  RELAB_TRY(const auto reached, host.connect(ends.target, ends.timeout));
  facts->setOutcome(outcome_of(reached.reach));
  facts->setWords(reached.words);
  RELAB_CHECK(ask_control());
  return std::move(facts).finish();
}

/// Whether the connection is to fail.
bool is_proof(Expected expected) {
  return expected != Expected::UNSET && expected != Expected::OPEN;
}

bool is_met(Expected expected, Outcome outcome) {
  switch (expected) {
    case Expected::UNSET:
    case Expected::OPEN:
      return outcome == Outcome::OPEN;
    case Expected::REFUSED:
      return outcome == Outcome::REFUSED;
    case Expected::SILENT:
      return outcome == Outcome::SILENT;
    case Expected::BLOCKED:
      return outcome == Outcome::REFUSED || outcome == Outcome::SILENT;
  }
  return false;
}

}  // namespace

Result<Message<Facts>> TcpProbe::observe(Params::Reader params, Host& host) {
  const Ends ends{.target = {.address = str(params.getAddress()), .port = params.getPort()},
                  .control = {.address = str(params.getControl()), .port = params.getControlPort()},
                  .timeout = std::chrono::seconds(params.getTimeout())};
  if (ends.target.port == 0 || (ends.has_control() && ends.control.port == 0))
    return fail(Fault::invalid, "a port is missing");
  if (is_proof(params.getExpect()) && !ends.has_control())
    return fail(Fault::invalid,
                "a connection that is to fail needs a control, an address that accepts one",
                "give `control` and `control_port`: best another port of the same machine");
  if (ends.has_control() && ends.control.address == ends.target.address &&
      ends.control.port == ends.target.port)
    return fail(Fault::invalid, "the control is the same as what is to be tried");
  return look_until_met<TcpProbe>(
      params, host,
      fmt::format("trying to connect to {} port {}", ends.target.address, ends.target.port),
      [&](std::uint32_t tries) { return look(ends, tries, host); });
}

Result<void> TcpProbe::judge(Params::Reader params, Facts::Reader facts) {
  const bool has_control = params.getControl().size() != 0;
  if (has_control && facts.getControl() != Outcome::OPEN)
    return fail(
        Fault::unreachable,
        fmt::format("nothing is proven: the control, {} port {}, {}", view(params.getControl()),
                    params.getControlPort(), words_of(facts.getControl())),
        "see to the network of this machine, or take another control");
  const bool needs_control = is_proof(params.getExpect());
  if (is_met(params.getExpect(), facts.getOutcome()) && (has_control || !needs_control)) return {};
  return fail(needs_control ? Fault::conflict : Fault::unreachable,
              fmt::format("{} port {} {} ({})", view(facts.getAddress()), facts.getPort(),
                          words_of(facts.getOutcome()), view(facts.getWords())));
}

}  // namespace relab::agent::probes
