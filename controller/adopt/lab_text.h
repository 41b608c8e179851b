#pragma once

/// A lab file as it is written for people: sections with banners, tables, values with remarks.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace relab::controller {

class LabText {
 public:
  /// A line across the page with the section's name, and what is to be said of it.
  void section(std::string_view name, const std::vector<std::string>& remarks = {});
  /// "[[guests]]" or "[network]".
  void table(std::string_view header);
  /// Whole lines, wrapped.
  void remark(std::string_view text);

  /// Values; what is empty, 0 or false is left out, as lab.toml has it.
  void text(std::string_view key, std::string_view value, std::string_view remark = {});
  void number(std::string_view key, std::uint64_t value, std::string_view remark = {});
  void flag(std::string_view key, bool value, std::string_view remark = {});
  void texts(std::string_view key, const std::vector<std::string>& values);
  /// Bytes, in the largest unit that holds them exactly.
  void size(std::string_view key, std::uint64_t bytes, std::string_view remark = {});
  /// Something that is TOML already.
  void raw(std::string_view lines) { out_ += lines; }

  const std::string& str() const { return out_; }

 private:
  void pair(std::string_view key, std::string_view value, std::string_view remark);

  std::string out_;
};

/// In double quotes, as TOML has it; what is no clean text is left out.
std::string toml_text(std::string_view text);

/// What the maker calls it: 2000398934016 bytes are "2TB", 500107862016 "500GB".
std::uint64_t nominal_size(std::uint64_t bytes);

}  // namespace relab::controller
