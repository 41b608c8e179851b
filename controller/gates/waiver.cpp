#include "controller/gates/waiver.h"

#include <algorithm>
#include <fmt/format.h>

#include "common/base/text.h"

namespace relab::controller {

namespace {

constexpr std::size_t reason_size_max = 500;

bool covers(schema::Waiver::Reader waiver, const std::string& phase, const Verdict& verdict,
            const Evidences& evidences) {
  const auto now = unix_millis(evidences.now);
  // Given in the future: the clock was set back, and nobody knows how old it is.
  if (waiver.getIssuedAt() > now || waiver.getNotAfter() <= now) return false;
  if (view(waiver.getLab()) != evidences.state.lab() || view(waiver.getPhase()) != phase ||
      view(waiver.getCondition()) != verdict.condition || view(waiver.getOf()) != verdict.of)
    return false;
  return std::ranges::all_of(verdict.unmet(), [&](const std::string& subject) {
    return any_in(waiver.getUnmet(), [&](auto covered) { return view(covered) == subject; });
  });
}

Message<schema::Waiver> waiver_of(const std::string& phase, const Verdict& verdict,
                                  const WaiverWish& wish, const Evidences& evidences) {
  Draft<schema::Waiver> waiver;
  waiver->setLab(evidences.state.lab());
  waiver->setPhase(phase);
  waiver->setCondition(verdict.condition);
  waiver->setOf(verdict.of);
  waiver->setReason(wish.reason);
  waiver->setIssuedAt(unix_millis(evidences.now));
  waiver->setNotAfter(unix_millis(evidences.now + wish.valid_for));
  const auto unmet = verdict.unmet();
  auto list = waiver->initUnmet(static_cast<unsigned>(unmet.size()));
  for (unsigned i = 0; i < list.size(); ++i) list.set(i, unmet[i]);
  return std::move(waiver).finish();
}

bool is_one_line(const std::string& text) {
  return std::ranges::none_of(text, [](unsigned char c) { return c < ' ' || c == 127; });
}

Result<void> check_wish(const WaiverWish& wish) {
  if (std::ranges::all_of(wish.reason, [](char c) { return c == ' ' || c == '\t'; }))
    return fail(Fault::invalid, "a waiver needs a reason: it stands in the ledger for good",
                "say why the phase may begin all the same: --reason \"...\"");
  if (wish.reason.size() > reason_size_max || !is_one_line(wish.reason))
    return fail(Fault::invalid,
                fmt::format("the reason must be one line of at most {} bytes", reason_size_max));
  return {};
}

}  // namespace

std::string waived(const std::string& phase, const Verdict& verdict, const Evidences& evidences) {
  // Nothing that can be named is not met: there is nothing that a waiver could cover.
  if (verdict.unmet().empty()) return {};
  const auto& waivers = evidences.state.waivers();
  const auto found = std::find_if(waivers.rbegin(), waivers.rend(), [&](const auto& statement) {
    return covers(statement.message.reader(), phase, verdict, evidences);
  });
  return found == waivers.rend() ? std::string() : str(found->message.reader().getReason());
}

Result<std::vector<Message<schema::Waiver>>> waivers_for(const Gate& gate, const WaiverWish& wish,
                                                         const Evidences& evidences) {
  RELAB_CHECK(check_wish(wish));
  std::vector<std::string> absolute;
  std::vector<Message<schema::Waiver>> waivers;
  for (const auto& verdict : gate.verdicts) {
    if (verdict.passes()) continue;
    if (verdict.absolute || verdict.unmet().empty())
      absolute.push_back(fmt::format("{} of {}", verdict.condition, verdict.of));
    waivers.push_back(waiver_of(gate.phase, verdict, wish, evidences));
  }
  if (!absolute.empty())
    return fail(Fault::refused,
                fmt::format("nobody can waive what keeps the gate of {} shut: {}", gate.phase,
                            fmt::join(absolute, ", ")),
                fmt::format("`relab gate {}` tells what would supply it", gate.phase));
  if (waivers.empty())
    return fail(Fault::conflict,
                fmt::format("the gate of {} is open: there is nothing to waive", gate.phase));
  return waivers;
}

}  // namespace relab::controller
