#include "agent/kinds/disks/smart.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>

#include "agent/kinds/support/json.h"
#include "common/base/number.h"

namespace relab::agent::disks {

namespace {

using Count = std::optional<std::uint64_t>;

constexpr std::array remaining_life = {"Wear_Leveling_Count",     "Media_Wearout_Indicator",
                                       "SSD_Life_Left",           "Percent_Lifetime_Remain",
                                       "Remaining_Lifetime_Perc", "Available_Reservd_Space_Life"};

constexpr std::uint64_t reallocated_id = 5;
constexpr std::uint64_t pending_id = 197;
constexpr std::uint64_t uncorrectable_id = 198;
constexpr std::uint64_t crc_id = 199;

std::optional<bool> truth(const Json& value) {
  return value.is_boolean() ? std::optional(value.get<bool>()) : std::nullopt;
}

/// Vendors pack further numbers into the high bytes of a raw value; smartctl's text starts with the
/// one that counts: "2725 (151 234 0)".
Count raw_of(const Json& attribute) {
  const auto& raw = member(attribute, "raw");
  const auto text = text_of(raw, "string");
  const auto number = parse_number<std::uint64_t>(
      std::string_view(text).substr(0, text.find_first_not_of("0123456789")));
  return number ? Count(*number) : number_of(raw, "value");
}

void read_attribute(const Json& attribute, Smart& smart) {
  const auto id = number_of(attribute, "id").value_or(0);
  const auto name = text_of(attribute, "name");
  if (id == reallocated_id) smart.reallocated = raw_of(attribute);
  if (id == pending_id) smart.pending = raw_of(attribute);
  if (id == uncorrectable_id) smart.uncorrectable = raw_of(attribute);
  if (id == crc_id) smart.crc_errors = raw_of(attribute);
  const bool life = std::ranges::find(remaining_life, name) != remaining_life.end();
  if (const auto value = number_of(attribute, "value"); life && value && *value <= 100)
    smart.wear = 100 - *value;
  if (const auto when = text_of(attribute, "when_failed"); !when.empty() && when != "-")
    smart.failing.push_back(fmt::format("{} ({})", name, when));
}

void read_ata(const Json& report, Smart& smart) {
  for (const auto& attribute : member(member(report, "ata_smart_attributes"), "table"))
    read_attribute(attribute, smart);
  const auto& log = member(report, "ata_smart_error_log");
  smart.errors_logged = number_of(member(log, "summary"), "count");
  if (const auto count = number_of(member(log, "extended"), "count")) smart.errors_logged = count;
  const auto& tests = member(member(report, "ata_smart_self_test_log"), "standard");
  if (tests.is_object()) smart.self_test_errors = number_of(tests, "error_count_total").value_or(0);
}

void read_nvme(const Json& report, Smart& smart) {
  const auto& log = member(report, "nvme_smart_health_information_log");
  if (!log.is_object()) return;
  smart.wear = number_of(log, "percentage_used");
  smart.spare = number_of(log, "available_spare");
  smart.critical_warning = number_of(log, "critical_warning");
  smart.uncorrectable = number_of(log, "media_errors");
  smart.errors_logged = number_of(log, "num_err_log_entries");
}

void read_scsi(const Json& report, Smart& smart) {
  if (const auto defects = number_of(report, "scsi_grown_defect_list")) smart.reallocated = defects;
  for (const auto& counters : member(report, "scsi_error_counter_log"))
    if (const auto errors = number_of(counters, "total_uncorrected_errors"))
      smart.uncorrectable = smart.uncorrectable.value_or(0) + *errors;
}

std::string messages_of(const Json& smartctl) {
  std::vector<std::string> messages;
  for (const auto& message : member(smartctl, "messages"))
    if (auto text = text_of(message, "string"); !text.empty()) messages.push_back(std::move(text));
  return fmt::format("{}", fmt::join(messages, "; "));
}

}  // namespace

Result<Smart> parse_smart(std::string_view json) {
  RELAB_TRY(const auto report, parse_json(json, "smartctl"));
  const auto& smartctl = member(report, "smartctl");
  const auto status = number_of(smartctl, "exit_status");
  if (!status || *status > 255)
    return fail(Fault::damaged, "smartctl printed a report without its exit status");
  const auto& support = member(report, "smart_support");
  Smart smart = {.exit_status = static_cast<int>(*status),
                 .messages = messages_of(smartctl),
                 .available = truth(member(support, "available")),
                 .enabled = truth(member(support, "enabled")),
                 .passed = truth(member(member(report, "smart_status"), "passed")),
                 .serial = text_of(report, "serial_number"),
                 .firmware = text_of(report, "firmware_version"),
                 .power_on_hours = number_of(member(report, "power_on_time"), "hours"),
                 .temperature = number_of(member(report, "temperature"), "current"),
                 .wear = number_of(member(report, "endurance_used"), "current_percent")};
  read_ata(report, smart);
  read_nvme(report, smart);
  read_scsi(report, smart);
  return smart;
}

}  // namespace relab::agent::disks
