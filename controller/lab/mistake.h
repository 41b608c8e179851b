#pragma once

/// What is wrong in a lab file, and where.

#include <string>
#include <string_view>
#include <vector>

namespace relab::lab {

/// A place in a file; both count from 1, the column in characters. 0 where there is no such place.
struct Position {
  unsigned line = 0;
  unsigned column = 0;

  auto operator<=>(const Position&) const = default;
};

/// One mistake: `what` is a sentence, `hint` says how to correct it, and may be empty.
struct Mistake {
  std::string file;
  unsigned line = 0;
  unsigned column = 0;
  /// The path of the key, with elements of lists by their names: "guests.jellyfin.ip".
  std::string key;
  std::string what;
  std::string hint;

  bool operator==(const Mistake&) const = default;
};

/// "lab.toml:12:3: guests.jellyfin.ip: what; hint".
std::string to_string(const Mistake& mistake);

/// "did you mean 'x'?" if one candidate is near; otherwise all of them, if they are few.
std::string suggestion(std::string_view text, const std::vector<std::string>& candidates);

/// The text in quotes, cut where it is long.
std::string in_quotes(std::string_view text);

}  // namespace relab::lab
