#pragma once

/// Crontabs as Debian's cron reads them.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"

namespace relab::agent::schedules {

/// A job or a variable, by the number of its line.
struct CronJob {
  std::uint32_t line = 0;
  std::string schedule = {};
  /// "" in a user's own crontab.
  std::string user = {};
  /// Still with its secrets.
  std::string command = {};

  bool operator==(const CronJob&) const = default;
};

struct CronVariable {
  std::uint32_t line = 0;
  std::string name = {};
  std::string value = {};

  bool operator==(const CronVariable&) const = default;
};

struct Crontab {
  std::vector<CronJob> jobs = {};
  std::vector<CronVariable> variables = {};
  /// The last line has no end: cron then passes over the whole file.
  bool is_cut = false;
  /// Lines end in CR LF: every command gets a CR at its end.
  bool has_carriage_returns = false;

  bool operator==(const Crontab&) const = default;
};

/// System crontabs name a user before the command.
enum class CrontabStyle { system, user };

/// Fault::damaged, with the line's number, for a line that is no job, variable or comment: cron
/// passes over the whole file then. No part of the line is in the error: it may be a secret.
Result<Crontab> parse_crontab(std::string_view text, CrontabStyle style);

struct AnacronJob {
  std::string period = {};
  std::uint32_t delay = 0;
  std::string name = {};
  std::string command = {};

  bool operator==(const AnacronJob&) const = default;
};

struct Anacrontab {
  std::vector<AnacronJob> jobs = {};
  std::vector<CronVariable> variables = {};
};

/// Fault::damaged as above.
Result<Anacrontab> parse_anacrontab(std::string_view text);

}  // namespace relab::agent::schedules
