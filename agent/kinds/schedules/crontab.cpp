#include "agent/kinds/schedules/crontab.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <fmt/format.h>
#include <optional>

#include "common/base/number.h"
#include "common/base/text.h"

namespace relab::agent::schedules {

namespace {

constexpr std::string_view blanks = " \t";
constexpr int time_fields = 5;

/// Takes the next word from the line.
std::string_view take_word(std::string_view& line) {
  line.remove_prefix(std::min(line.find_first_not_of(blanks), line.size()));
  const auto end = std::min(line.find_first_of(blanks), line.size());
  const auto word = line.substr(0, end);
  line.remove_prefix(end);
  return word;
}

std::string_view without_quotes(std::string_view text) {
  if (text.size() < 2 || (text.front() != '"' && text.front() != '\'') ||
      text.back() != text.front())
    return text;
  return text.substr(1, text.size() - 2);
}

/// "NAME = value", with either side in quotes if it likes; a job has a blank before any "=".
std::optional<CronVariable> parse_variable(std::string_view line) {
  const auto sign = line.find('=');
  if (sign == std::string_view::npos) return {};
  const auto name = trim(line.substr(0, sign));
  const bool is_quoted = without_quotes(name).size() != name.size();
  if (name.empty() || (!is_quoted && name.find_first_of(blanks) != std::string_view::npos))
    return {};
  return CronVariable{.name = std::string(without_quotes(name)),
                      .value = std::string(without_quotes(trim(line.substr(sign + 1))))};
}

bool is_time_field(std::string_view field) {
  return !field.empty() && std::ranges::all_of(field, [](unsigned char letter) {
    return std::isalnum(letter) != 0 ||
           std::string_view("*,-/~").find(static_cast<char>(letter)) != std::string_view::npos;
  });
}

bool is_nickname(std::string_view word) {
  static constexpr std::array<std::string_view, 8> nicknames = {
      "@reboot", "@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly"};
  return std::ranges::find(nicknames, word) != nicknames.end();
}

/// The words before the user and command; "" if they are none that cron knows.
std::string take_schedule(std::string_view& line) {
  if (line.starts_with('@')) {
    const auto word = take_word(line);
    return is_nickname(word) ? std::string(word) : std::string();
  }
  std::string schedule;
  for (int i = 0; i < time_fields; ++i) {
    const auto field = take_word(line);
    if (!is_time_field(field)) return {};
    if (i != 0) schedule += ' ';
    schedule += field;
  }
  return schedule;
}

Result<CronJob> parse_job(std::string_view line, CrontabStyle style) {
  CronJob job;
  job.schedule = take_schedule(line);
  if (job.schedule.empty()) return fail(Fault::damaged, "the time of a job is expected here");
  if (style == CrontabStyle::system) job.user = take_word(line);
  job.command = trim(line);
  if (job.command.empty()) return fail(Fault::damaged, "the job has no command");
  return job;
}

Result<AnacronJob> parse_anacron_job(std::string_view line) {
  AnacronJob job;
  job.period = take_word(line);
  const auto delay = parse_number<std::uint32_t>(take_word(line));
  if (!delay) return fail(Fault::damaged, "the delay in minutes is no number");
  job.delay = *delay;
  job.name = take_word(line);
  job.command = trim(line);
  if (job.command.empty()) return fail(Fault::damaged, "the job has no command");
  return job;
}

bool says_nothing(std::string_view line) { return line.empty() || line.starts_with('#'); }

}  // namespace

Result<Crontab> parse_crontab(std::string_view text, CrontabStyle style) {
  Crontab crontab{.is_cut = !text.empty() && !text.ends_with('\n'),
                  .has_carriage_returns = text.find("\r\n") != std::string_view::npos};
  std::uint32_t number = 0;
  for (const auto whole : lines(text)) {
    ++number;
    const auto line = trim(whole);
    if (says_nothing(line)) continue;
    if (auto variable = parse_variable(line)) {
      variable->line = number;
      crontab.variables.push_back(std::move(*variable));
      continue;
    }
    RELAB_TRY(auto job, parse_job(line, style).during(fmt::format("line {}", number)));
    job.line = number;
    crontab.jobs.push_back(std::move(job));
  }
  return crontab;
}

Result<Anacrontab> parse_anacrontab(std::string_view text) {
  Anacrontab anacrontab;
  std::uint32_t number = 0;
  for (const auto whole : lines(text)) {
    ++number;
    const auto line = trim(whole);
    if (says_nothing(line)) continue;
    if (auto variable = parse_variable(line)) {
      variable->line = number;
      anacrontab.variables.push_back(std::move(*variable));
      continue;
    }
    RELAB_TRY(auto job, parse_anacron_job(line).during(fmt::format("line {}", number)));
    anacrontab.jobs.push_back(std::move(job));
  }
  return anacrontab;
}

}  // namespace relab::agent::schedules
