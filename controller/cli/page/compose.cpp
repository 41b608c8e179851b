#include "controller/cli/page/compose.h"

#include <fmt/format.h>
#include <set>

#include "common/base/file.h"
#include "common/base/version.h"
#include "controller/cli/own_file.h"
#include "controller/cli/page/page.h"
#include "controller/cli/page/parts.h"
#include "controller/cli/page/phases.h"
#include "controller/ledger/head.h"
#include "controller/report/page_tables.h"
#include "schema/coverage.capnp.h"

namespace relab::controller::cli {

namespace {

using Json = nlohmann::json;

Json gaps_of(capnp::List<schema::Gap>::Reader gaps) {
  auto list = Json::array();
  for (const auto gap : gaps)
    list.push_back({{"part", str(gap.getPart())}, {"why", str(gap.getWhy())}});
  return list;
}

Json section_of(const SectionView& section) {
  Json json = {{"section", section.section},
               {"agent", section.agent},
               {"result", section.outcome},
               {"whole", is_whole(section)},
               {"tables", Json::array()}};
  if (section.taken_at) json["taken_at"] = iso8601(*section.taken_at);
  if (!section.failure.empty()) json["failure"] = section.failure;
  if (!section.facts) return json;
  json["tables"] = page_tables(*section.facts);
  const auto coverage = section.facts->get("coverage").as<schema::Coverage>();
  json["absent"] = str(coverage.getAbsent());
  json["problems"] = gaps_of(coverage.getProblems());
  json["parts"] = gaps_of(coverage.getParts());
  return json;
}

Json audit_of(const Evidences& evidences) {
  auto sections = Json::array();
  for (const auto& view : audit_views(evidences.lab, evidences.state))
    sections.push_back(section_of(view));
  return sections;
}

Json ledger_of(const Book& book) {
  auto json = ledger_json(book);
  const auto& state = book.state();
  if (state.checkpoint().empty() || !state.controller()) return json;
  const auto line = head_line(state.checkpoint());
  if (!line) return json;
  const auto head = read_head(*line, {.lab = state.lab(), .key = state.controller()->sign_key});
  if (head) json["checkpoint"] = {{"entries", head->entries}, {"head", hex(head->hash)}};
  return json;
}

/// Agents that steps need and nobody enrolled: nothing else of the report tells of them.
Json problems_of(const Evidences& evidences, const Json& phases) {
  auto problems = Json::array();
  std::set<std::string> told;
  for (const auto& phase : phases)
    for (const auto& track : phase["tracks"]) {
      const auto agent = track["agent"].get<std::string>();
      if (track["steps"].empty() || evidences.state.agents().contains(agent) ||
          !told.insert(agent).second)
        continue;
      problems.push_back(
          {{"kind", "missing"},
           {"what", fmt::format("no agent '{}' is enrolled", agent)},
           {"why", fmt::format("phase {} needs it", phase["phase"].get<std::string>())},
           {"command", "relab enrol " + agent},
           {"phase", phase["phase"]}});
    }
  return problems;
}

/// Whether it begins as every page of ours does.
}  // namespace

Result<Json> compose_report(const ReportSource& source) {
  const auto& evidences = source.evidences;
  const auto lab = evidences.lab;
  RELAB_TRY(auto phases, phases_json(evidences));
  Json report = {{"format", 1},
                 {"lab", str(lab.getName())},
                 {"description", str(lab.getDescription())},
                 {"timezone", str(lab.getTimezone())},
                 {"made", iso8601(wall_clock())},
                 {"version", std::string(version)},
                 {"basis", source.basis},
                 {"verdict", verdict_json(phases)},
                 {"problems", problems_of(evidences, phases)},
                 {"survival", survival_json(evidences)},
                 {"audit", audit_of(evidences)},
                 {"agents", agents_json(source.book.state())},
                 {"ledger", ledger_of(source.book)},
                 {"history", history_json(source.book)}};
  report["phases"] = std::move(phases);
  // Nobody is to run in earnest what only was rehearsed.
  if (source.basis == "rehearsal") report["verdict"]["next"] = Json::array();
  return report;
}

std::string_view page_begins() {
  constexpr std::size_t beginning = 80;
  return std::string_view(page_template()).substr(0, beginning);
}

Result<void> write_page(const std::filesystem::path& path, const Json& report) {
  RELAB_CHECK(check_replaceable(path, page_begins()));
  return replace_file(path, fill_page(report)).during("writing the report");
}

}  // namespace relab::controller::cli
