#include "agent/host/sim/storage/smart_report.h"

#include <array>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <string_view>

#include "common/base/number.h"
#include "common/wire/message.h"

namespace relab::agent::sim {

namespace {

using Json = nlohmann::json;
using Row = schema::AuditDisks::Smart::Reader;

/// Of smartctl's status: the disk says that it fails.
constexpr int says_failing = 8;

struct Attribute {
  unsigned id;
  std::string_view name;
};
constexpr std::array<Attribute, 4> counters = {{{5, "Reallocated_Sector_Ct"},
                                                {197, "Current_Pending_Sector"},
                                                {198, "Offline_Uncorrectable"},
                                                {199, "UDMA_CRC_Error_Count"}}};

Json attribute(const Attribute& of, std::int64_t value) {
  Json row = {{"id", of.id}, {"name", of.name}, {"when_failed", ""}};
  if (value >= 0) row["raw"] = {{"value", value}, {"string", std::to_string(value)}};
  return row;
}

/// "Reallocated_Sector_Ct (now)", of one that is in the table already or is not.
void add_failing(std::string_view failing, Json& table) {
  const auto gap = failing.rfind(" (");
  if (gap == std::string_view::npos || !failing.ends_with(')')) return;
  const auto name = failing.substr(0, gap);
  const auto when = failing.substr(gap + 2, failing.size() - gap - 3);
  for (auto& row : table)
    if (row["name"] == name) {
      row["when_failed"] = when;
      return;
    }
  Json row = {{"id", 1}, {"name", name}, {"when_failed", when}};
  table.push_back(std::move(row));
}

void write_ata(Row row, Json& report) {
  Json table = Json::array();
  const std::array values = {row.getReallocated(), row.getPending(), row.getUncorrectable(),
                             row.getCrcErrors()};
  for (std::size_t i = 0; i < values.size(); ++i)
    if (values[i] >= 0) table.push_back(attribute(counters[i], values[i]));
  for (const auto failing : row.getFailingAttributes()) add_failing(view(failing), table);
  if (!table.empty()) report["ata_smart_attributes"] = {{"revision", 10}, {"table", table}};
  if (row.getWear() >= 0) report["endurance_used"] = {{"current_percent", row.getWear()}};
  if (row.getErrorsLogged() >= 0)
    report["ata_smart_error_log"] = {
        {"summary", {{"revision", 1}, {"count", row.getErrorsLogged()}}}};
  if (row.getSelfTestErrors() >= 0)
    report["ata_smart_self_test_log"] = {
        {"standard", {{"revision", 1}, {"error_count_total", row.getSelfTestErrors()}}}};
}

void write_nvme(Row row, Json& report) {
  auto& log = report["nvme_smart_health_information_log"];
  log = Json::object();
  const auto set = [&](const char* name, std::int64_t value) {
    if (value >= 0) log[name] = value;
  };
  set("critical_warning", row.getCriticalWarning());
  set("available_spare", row.getSpare());
  set("percentage_used", row.getWear());
  set("media_errors", row.getUncorrectable());
  set("num_err_log_entries", row.getErrorsLogged());
}

void write_health(Row row, bool failed, Json& report) {
  using Health = schema::AuditDisks::Health;
  if (row.getHealth() != Health::UNKNOWN || failed)
    report["smart_status"] = {{"passed", row.getHealth() == Health::PASSED && !failed}};
}

Json begun(const std::vector<std::string>& argv, int status, const std::string& message) {
  Json smartctl = {{"version", {7, 3}}, {"argv", argv}, {"exit_status", status}};
  if (!message.empty())
    smartctl["messages"] = Json::array({{{"string", message}, {"severity", "error"}}});
  return {{"json_format_version", {1, 0}}, {"smartctl", smartctl}};
}

/// What a note of the audit says behind some words.
std::string behind(const std::string& text, std::string_view words) {
  return text.starts_with(words) ? text.substr(words.size()) : std::string();
}

}  // namespace

bool SmartReports::has_smartctl() const {
  return !any_in(facts_.getCoverage().getParts(),
                 [](auto gap) { return view(gap.getPart()) == "SMART"; });
}

std::string SmartReports::why_none(const Device& disk) const {
  const auto part = "SMART of " + disk.path;
  for (const auto gap : facts_.getCoverage().getParts())
    if (view(gap.getPart()) == part) return str(gap.getWhy());
  for (const auto gap : facts_.getCoverage().getProblems())
    if (view(gap.getPart()) == part) return str(gap.getWhy());
  return {};
}

Output SmartReports::report(const Device& disk, const std::vector<std::string>& argv) const {
  const auto why = why_none(disk);
  for (const Row row : facts_.getSmart()) {
    if (view(row.getDisk()) != disk.name) continue;
    const int status = row.getExitStatus() | (disk.failed ? says_failing : 0);
    auto report = begun(argv, status, str(row.getMessages()));
    report["smart_support"] = {{"available", true},
                               {"enabled", !why.starts_with("it is switched off")}};
    report["serial_number"] = str(row.getSerial());
    write_health(row, disk.failed, report);
    if (row.getPowerOnHours() >= 0) report["power_on_time"] = {{"hours", row.getPowerOnHours()}};
    if (row.getTemperature() >= 0) report["temperature"] = {{"current", row.getTemperature()}};
    if (disk.bus == "nvme")
      write_nvme(row, report);
    else
      write_ata(row, report);
    return {.status = status, .out = report.dump()};
  }
  if (const auto message = behind(why, "its USB bridge does not pass it on: "); !message.empty())
    return {.status = 1, .out = begun(argv, 1, message).dump()};
  if (const auto words = behind(why, "smartctl ended with "); !words.empty()) {
    const auto number = std::string_view(words).substr(0, words.find(':'));
    const auto status = parse_number<int>(number).value_or(2);
    const auto colon = words.find(": ");
    const auto message = colon == std::string::npos ? std::string() : words.substr(colon + 2);
    return {.status = status, .out = begun(argv, status, message).dump()};
  }
  auto report = begun(argv, 0, {});
  report["smart_support"] = {{"available", false}};
  return {.out = report.dump()};
}

Output SmartReports::not_opened(const std::vector<std::string>& argv) {
  constexpr int could_not_open = 2;
  const auto message = "Smartctl open device: " + argv.back() + " failed: No such device";
  return {.status = could_not_open, .out = begun(argv, could_not_open, message).dump()};
}

}  // namespace relab::agent::sim
