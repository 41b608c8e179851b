#include "controller/lab/scan.h"

#include <algorithm>
#include <cctype>
#include <fmt/format.h>

namespace relab::lab {

namespace {

/// The end of a multi-line string that starts at `at`, behind its closing quotes.
std::size_t behind_long_string(std::string_view text, std::size_t at) {
  const auto quote = text[at];
  for (auto i = at + 3; i < text.size(); ++i) {
    if (quote == '"' && text[i] == '\\') {
      ++i;
      continue;
    }
    // Up to two more quotes may stand before the closing three; they end in the same place.
    if (text.substr(i, 3) != std::string_view(text.data() + at, 3)) continue;
    i += 3;
    while (i < text.size() && text[i] == quote) ++i;
    return i;
  }
  return text.size();
}

/// Likewise for a string of one line; an end of line ends it, since it is no TOML then.
std::size_t behind_string(std::string_view text, std::size_t at) {
  const auto quote = text[at];
  for (auto i = at + 1; i < text.size(); ++i) {
    if (text[i] == '\n' || text[i] == quote) return i + 1;
    if (quote == '"' && text[i] == '\\') ++i;
  }
  return text.size();
}

bool starts_long_string(std::string_view text, std::size_t at) {
  const auto three = text.substr(at, 3);
  return three == R"(""")" || three == "'''";
}

/// Where a table header's key should start, for a header that starts at `at`.
std::size_t key_start(std::string_view text, std::size_t at) {
  ++at;
  if (at < text.size() && text[at] == '[') ++at;
  return std::min(text.find_first_not_of(" \t", at), text.size());
}

/// What a parser takes there; an end of the text or a closing bracket it reports itself.
bool may_start_key(std::string_view text, std::size_t at) {
  if (at == text.size()) return true;
  const auto letter = text[at];
  return std::isalnum(static_cast<unsigned char>(letter)) != 0 ||
         std::string_view("_-\"']").find(letter) != std::string_view::npos;
}

/// Walks over the text outside of strings and comments.
class Scan {
 public:
  explicit Scan(std::string_view text) : text_(text) {}

  std::optional<Snag> run() {
    while (at_ < text_.size()) {
      if (is_stray_quote())
        return Snag{at_, "a quote cannot stand in the middle of a word or number"};
      if (skip()) continue;
      if (auto snag = look()) return snag;
      ++at_;
    }
    return std::nullopt;
  }

 private:
  /// A string starts behind a blank or one of few signs: behind anything else the parser would read
  /// it as part of a word, or of what it gives up on.
  bool is_stray_quote() const {
    if (at_ == 0 || (text_[at_] != '"' && text_[at_] != '\'')) return false;
    return std::string_view(" \t\r\n=,.[{").find(text_[at_ - 1]) == std::string_view::npos;
  }

  /// Goes behind a string or comment that starts here.
  bool skip() {
    const auto letter = text_[at_];
    const auto quoted = letter == '"' || letter == '\'';
    if (!quoted && letter != '#') return false;
    if (quoted) line_start_ = false;
    if (letter == '#') {
      at_ = std::min(text_.find('\n', at_), text_.size());
    } else {
      at_ = starts_long_string(text_, at_) ? behind_long_string(text_, at_)
                                           : behind_string(text_, at_);
    }
    return true;
  }

  std::optional<Snag> look() {
    const auto letter = text_[at_];
    if ((static_cast<unsigned char>(letter) & 0x80U) != 0)
      return Snag{at_, "this character can stand only in quotes or comments"};
    if (letter == '.' && ++dots_ > dots_max)
      return Snag{at_, fmt::format("keys are nested deeper than {} levels", dots_max)};
    if (std::string_view("\n,=[]{}").find(letter) != std::string_view::npos) dots_ = 0;
    if (letter == '[' && line_start_ && open_ == 0)
      if (const auto key = key_start(text_, at_); !may_start_key(text_, key))
        return Snag{key, "a table header needs a key"};
    if (letter == '[' || letter == '{') ++open_;
    if ((letter == ']' || letter == '}') && open_ > 0) --open_;
    line_start_ = letter == '\n' || (line_start_ && (letter == ' ' || letter == '\t'));
    return std::nullopt;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::size_t dots_ = 0;
  /// Brackets that are open: inside of them, a bracket at a line's start is a list.
  std::size_t open_ = 0;
  bool line_start_ = true;
};

}  // namespace

std::optional<Snag> find_snag(std::string_view text) { return Scan(text).run(); }

}  // namespace relab::lab
