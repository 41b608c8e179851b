#include "agent/kinds/packages/deb822.h"

#include <algorithm>
#include <cctype>
#include <fmt/format.h>

#include "common/base/text.h"

namespace relab::agent::packages {

namespace {

std::string lower(std::string_view text) {
  std::string small(text);
  std::ranges::transform(small, small.begin(), [](unsigned char letter) {
    return static_cast<char>(std::tolower(letter));
  });
  return small;
}

/// Reads line by line; a field is open until the next one, or until the stanza ends.
class Reader {
 public:
  Result<void> read(std::uint32_t number, std::string_view line) {
    if (line.starts_with('#')) return {};
    if (trim(line).empty()) {
      open_ = nullptr;
      in_stanza_ = false;
      return {};
    }
    if (line.starts_with(' ') || line.starts_with('\t')) return go_on(number, line);
    return begin_field(number, line);
  }
  std::vector<Stanza> stanzas() && { return std::move(stanzas_); }

 private:
  Result<void> go_on(std::uint32_t number, std::string_view line) {
    if (open_ == nullptr)
      return fail(Fault::damaged,
                  fmt::format("line {} goes on with a field that is not there", number));
    *open_ += '\n';
    *open_ += trim(line);
    return {};
  }
  Result<void> begin_field(std::uint32_t number, std::string_view line) {
    const auto colon = line.find(':');
    if (colon == std::string_view::npos || colon == 0)
      return fail(Fault::damaged, fmt::format("line {} is no field", number));
    if (!in_stanza_) stanzas_.push_back({.line = number});
    in_stanza_ = true;
    open_ = &stanzas_.back().fields[lower(trim(line.substr(0, colon)))];
    *open_ = trim(line.substr(colon + 1));
    return {};
  }

  std::vector<Stanza> stanzas_;
  std::string* open_ = nullptr;
  bool in_stanza_ = false;
};

}  // namespace

std::string_view Stanza::get(const std::string& name) const {
  const auto found = fields.find(name);
  return found == fields.end() ? std::string_view() : found->second;
}

Result<std::vector<Stanza>> parse_deb822(std::string_view text) {
  Reader reader;
  std::uint32_t number = 0;
  for (const auto line : lines(text)) RELAB_CHECK(reader.read(++number, line));
  return std::move(reader).stanzas();
}

}  // namespace relab::agent::packages
