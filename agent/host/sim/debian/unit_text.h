#pragma once

/// What a unit's file says, as far as it decides what becomes of the unit.

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace relab::agent::sim {

/// "ssh" is "ssh.service".
std::string with_type(const std::string& unit);

class UnitText {
 public:
  /// A file and what lies beside it, one after the other; later values are added to earlier ones,
  /// and an empty one takes them back.
  /// https://www.freedesktop.org/software/systemd/man/systemd.syntax.html
  explicit UnitText(std::string_view text);

  bool has(const std::string& section) const { return values_.contains(section); }
  /// The last one; empty without any.
  std::string value(const std::string& section, const std::string& key) const;
  std::vector<std::string> values(const std::string& section, const std::string& key) const;
  /// Words of all of them.
  std::vector<std::string> names(const std::string& section, const std::string& key) const;
  bool is_true(const std::string& section, const std::string& key) const;

  bool is_oneshot() const { return value("Service", "Type") == "oneshot"; }
  /// The programs of ExecStart, without the signs before them.
  std::vector<std::string> programs() const;

 private:
  using Values = std::map<std::string, std::vector<std::string>>;
  std::map<std::string, Values> values_;
};

}  // namespace relab::agent::sim
