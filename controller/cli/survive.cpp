#include "controller/cli/survive.h"

#include <algorithm>
#include <fmt/format.h>

#include "controller/cli/context.h"
#include "controller/report/table.h"
#include "controller/survival/fates.h"

namespace relab::controller::cli {

namespace {

/// As a gate asks by itself.
constexpr auto max_age = std::chrono::hours(24 * 7);

std::string_view demand_of(const Thing& thing) {
  if (thing.given_up) return "may be lost";
  return thing.wanted ? "must be kept" : "";
}

nlohmann::json value_of(const Fate& fate) {
  return {{"host", fate.thing.host},     {"vmid", fate.thing.vmid},
          {"path", fate.thing.path},     {"what", fate.thing.what},
          {"wanted", fate.thing.wanted}, {"givenUp", fate.thing.given_up},
          {"ending", name(fate.ending)}, {"why", fate.why},
          {"supply", fate.supply}};
}

/// What would be lost comes first.
void sort_by_need(std::vector<Fate>& fates) {
  const auto rank = [](const Fate& fate) {
    if (!fate.is_safe()) return 0;
    return fate.thing.wanted ? 1 : 2;
  };
  std::ranges::stable_sort(fates, {}, rank);
}

}  // namespace

ExitCode survive(const Values& values, Context& context, const Evidences& evidences) {
  auto& out = context.out();
  const auto style = values.count("markdown") != 0 ? Style{.form = Form::markdown} : out.style();
  auto rows = nlohmann::json::array();
  auto missing = nlohmann::json::array();
  std::size_t lost = 0;
  for (const auto host : evidences.lab.getHosts()) {
    const auto heard = hear_audit(evidences, str(host.getName()), max_age);
    for (const auto& finding : heard.missing) {
      out.note(fmt::format("{}: {}; {}", finding.subject, finding.why, finding.supply));
      missing.push_back({{"section", finding.subject}, {"why", finding.why}});
    }
    auto fates = fates_on(evidences, str(host.getName()), heard.audit, max_age);
    sort_by_need(fates);
    Table table({"BECOMES", "DEMAND", "WHERE", "WHAT", "WHY"});
    for (const auto& fate : fates) {
      table.add({{fate.is_safe() ? std::string(name(fate.ending)) : "LOST"},
                 {std::string(demand_of(fate.thing))},
                 {fate.thing.place()},
                 {fate.thing.what},
                 {fate.why}});
      rows.push_back(value_of(fate));
      if (!fate.is_safe()) ++lost;
    }
    out.text(fates.empty() ? fmt::format("nothing is known of {}\n", view(host.getName()))
                           : table.print(style));
  }
  out.value({{"things", rows}, {"notRead", missing}, {"lost", lost}});
  if (lost != 0)
    out.note(
        fmt::format("{} that must be kept would be lost: `relab gate` says what would help", lost));
  return lost == 0 && missing.empty() ? ExitCode::done : ExitCode::failed;
}

}  // namespace relab::controller::cli
