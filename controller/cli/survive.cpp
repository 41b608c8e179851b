#include "controller/cli/survive.h"

#include <algorithm>
#include <fmt/format.h>
#include <set>

#include "controller/cli/context.h"
#include "controller/cli/page/parts.h"
#include "controller/lab/additions.h"
#include "controller/report/table.h"
#include "controller/survival/fates.h"

namespace relab::controller::cli {

namespace {

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

/// What becomes of everything on a host.
struct HostFates {
  std::string host;
  std::vector<Fate> fates;
  std::vector<Finding> missing;
};

std::vector<HostFates> fates_of(const Evidences& evidences) {
  std::vector<HostFates> all;
  for (const auto host : evidences.lab.getHosts()) {
    auto heard = hear_audit(evidences, str(host.getName()), lab::proof_age_max);
    auto fates = fates_on(evidences, str(host.getName()), heard.audit, lab::proof_age_max);
    sort_by_need(fates);
    all.push_back({.host = str(host.getName()),
                   .fates = std::move(fates),
                   .missing = std::move(heard.missing)});
  }
  return all;
}

std::size_t lost_of(const HostFates& host) {
  return static_cast<std::size_t>(
      std::ranges::count_if(host.fates, [](const auto& fate) { return !fate.is_safe(); }));
}

nlohmann::json to_json(const std::vector<HostFates>& all, schema::Lab::Reader lab) {
  std::set<std::string> installed;
  for (const auto phase : lab.getPlan().getPhases())
    for (const auto host : phase.getInstalls()) installed.insert(str(host));
  auto rows = nlohmann::json::array();
  auto missing = nlohmann::json::array();
  std::size_t lost = 0;
  for (const auto& host : all) {
    for (const auto& finding : host.missing)
      missing.push_back({{"section", finding.subject}, {"why", finding.why}});
    for (const auto& fate : host.fates) rows.push_back(value_of(fate));
    lost += lost_of(host);
  }
  return {{"things", rows}, {"notRead", missing}, {"lost", lost}, {"installed", installed}};
}

void print(const HostFates& host, const Style& style, Printer& out) {
  for (const auto& finding : host.missing)
    out.note(fmt::format("{}: {}; {}", finding.subject, finding.why, finding.supply));
  Table table({"BECOMES", "DEMAND", "WHERE", "WHAT", "WHY"});
  for (const auto& fate : host.fates)
    table.add({{fate.is_safe() ? std::string(name(fate.ending)) : "LOST"},
               {std::string(demand_of(fate.thing))},
               {fate.thing.place()},
               {fate.thing.what},
               {fate.why}});
  out.text(host.fates.empty() ? fmt::format("nothing is known of {}\n", host.host)
                              : table.print(style));
}

}  // namespace

nlohmann::json survival_json(const Evidences& evidences) {
  return to_json(fates_of(evidences), evidences.lab);
}

ExitCode survive(const Values& values, Context& context, const Evidences& evidences) {
  auto& out = context.out();
  const auto style = values.count("markdown") != 0 ? Style{.form = Form::markdown} : out.style();
  const auto all = fates_of(evidences);
  std::size_t lost = 0;
  bool whole = true;
  for (const auto& host : all) {
    print(host, style, out);
    lost += lost_of(host);
    whole = whole && host.missing.empty();
  }
  out.value(to_json(all, evidences.lab));
  if (lost != 0)
    out.note(
        fmt::format("{} that must be kept would be lost: `relab gate` says what would help", lost));
  return lost == 0 && whole ? ExitCode::done : ExitCode::failed;
}

}  // namespace relab::controller::cli
