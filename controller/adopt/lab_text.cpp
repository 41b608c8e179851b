#include "controller/adopt/lab_text.h"

#include <array>
#include <fmt/format.h>
#include <utility>

#include "common/base/text.h"
#include "controller/report/escape.h"

namespace relab::controller {

namespace {

constexpr std::size_t width = 100;

struct Unit {
  std::string_view name;
  std::uint64_t bytes;
};

/// Decimal ones go first where both hold it exactly.
constexpr std::array units = {Unit{"TB", 1'000'000'000'000},
                              Unit{"TiB", std::uint64_t{1} << 40U},
                              Unit{"GB", 1'000'000'000},
                              Unit{"GiB", std::uint64_t{1} << 30U},
                              Unit{"MB", 1'000'000},
                              Unit{"MiB", std::uint64_t{1} << 20U},
                              Unit{"B", 1}};

}  // namespace

std::string toml_text(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : clean_text(text)) {
    if (c == '\n' || c == '\t') {
      quoted += ' ';
      continue;
    }
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + '"';
}

std::uint64_t nominal_size(std::uint64_t bytes) {
  std::uint64_t step = 1;
  while (bytes / step >= 1000) step *= 10;
  // Three digits of it, of which makers keep to the first two where the third is next to nothing.
  const auto coarse = (bytes + step * 5) / (step * 10) * (step * 10);
  const auto difference = coarse > bytes ? coarse - bytes : bytes - coarse;
  if (difference * 100 <= bytes) return coarse;
  return (bytes + step / 2) / step * step;
}

void LabText::section(std::string_view name, const std::vector<std::string>& remarks) {
  out_ += fmt::format("\n# {:->{}} {}\n", "", width - 3 - name.size(), name);
  for (const auto& line : remarks) remark(line);
}

void LabText::table(std::string_view header) { out_ += fmt::format("\n{}\n", header); }

void LabText::remark(std::string_view text) {
  const auto clean = visible(text);
  std::string line = "#";
  for (const auto word : words(clean)) {
    if (line.size() + 1 + word.size() > width && line.size() > 1) {
      out_ += line + "\n";
      line = "#";
    }
    line += fmt::format(" {}", word);
  }
  out_ += line + "\n";
}

void LabText::pair(std::string_view key, std::string_view value, std::string_view remark) {
  out_ += fmt::format("{} = {}", key, value);
  if (!remark.empty()) {
    out_ += "  # " + visible(remark);
  }
  out_ += "\n";
}

void LabText::text(std::string_view key, std::string_view value, std::string_view remark) {
  if (!value.empty()) pair(key, toml_text(value), remark);
}

void LabText::number(std::string_view key, std::uint64_t value, std::string_view remark) {
  if (value != 0) pair(key, std::to_string(value), remark);
}

void LabText::flag(std::string_view key, bool value, std::string_view remark) {
  if (value) pair(key, "true", remark);
}

void LabText::texts(std::string_view key, const std::vector<std::string>& values) {
  if (values.empty()) return;
  std::vector<std::string> quoted;
  quoted.reserve(values.size());
  for (const auto& value : values) quoted.push_back(toml_text(value));
  pair(key, fmt::format("[{}]", fmt::join(quoted, ", ")), {});
}

void LabText::size(std::string_view key, std::uint64_t bytes, std::string_view remark) {
  if (bytes == 0) return;
  for (const auto& unit : units)
    if (bytes % unit.bytes == 0)
      return pair(key, fmt::format("\"{}{}\"", bytes / unit.bytes, unit.name), remark);
}

}  // namespace relab::controller
