#include "controller/lab/toml.h"

// The only place that includes toml++: it compiles slowly, and its settings must be the same
// everywhere. It asserts where some texts lead it astray, and takes its assertions for facts under
// NDEBUG; here, a broken one is a mistake in the text.
#undef NDEBUG
namespace {
struct ParserAstray {};
[[noreturn]] void parser_astray() { throw ParserAstray{}; }
}  // namespace
#define TOML_ASSERT(expr) ((expr) ? static_cast<void>(0) : parser_astray())
#define TOML_EXCEPTIONS 0
#define TOML_MAX_NESTED_VALUES 64
#define TOML_ENABLE_FORMATTERS 0
#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <optional>
#include <toml++/toml.h>

#include "common/base/text.h"
#include "controller/lab/scan.h"

namespace relab::lab {

namespace {

constexpr auto not_read = "the rest of the file was not read";

Position position_of(const toml::source_region& source) {
  return {.line = static_cast<unsigned>(source.begin.line),
          .column = static_cast<unsigned>(source.begin.column)};
}

Node copy(const toml::node& node);

Table copy_table(const toml::table& table) {
  Table entries;
  for (auto&& [key, value] : table)
    entries.push_back(
        {.key = std::string(key.str()), .at = position_of(key.source()), .value = copy(value)});
  // toml++ sorts by name; people read from the top.
  std::ranges::stable_sort(entries, {}, &Entry::at);
  return entries;
}

Array copy_array(const toml::array& array) {
  Array elements;
  for (const auto& element : array) elements.push_back(copy(element));
  return elements;
}

Node copy(const toml::node& node) {
  Node made{.at = position_of(node.source()), .value = Date{}};
  if (const auto* table = node.as_table()) made.value = copy_table(*table);
  if (const auto* array = node.as_array()) made.value = copy_array(*array);
  if (const auto* text = node.as_string()) made.value = text->get();
  if (const auto* number = node.as_integer()) made.value = number->get();
  if (const auto* number = node.as_floating_point()) made.value = number->get();
  if (const auto* truth = node.as_boolean()) made.value = truth->get();
  return made;
}

Position position_at(std::string_view text, std::size_t at) {
  const auto before = text.substr(0, at);
  const auto line = std::ranges::count(before, '\n') + 1;
  const auto start = before.rfind('\n') == std::string_view::npos ? 0 : before.rfind('\n') + 1;
  const auto column = std::ranges::count_if(before.substr(start), [](char letter) {
    return (static_cast<unsigned char>(letter) & 0xC0U) != 0x80;
  });
  return {.line = static_cast<unsigned>(line), .column = static_cast<unsigned>(column) + 1};
}

/// The first byte that is no UTF-8, or a NUL, in a text that is known to hold one.
std::size_t first_unclean(std::string_view text) {
  std::size_t at = 0;
  for (const auto line : split(text, '\n')) {
    if (is_clean_text(line)) {
      at += line.size() + 1;
      continue;
    }
    // A line's clean start ends where taking one byte more stops it from ever being clean.
    const auto cleaned = clean_text(line);
    const auto pair = std::ranges::mismatch(line, cleaned);
    return at + static_cast<std::size_t>(pair.in1 - line.begin());
  }
  return at;
}

/// What is wrong with the bytes, before they are read as TOML.
struct Trouble {
  std::size_t at;
  std::string what;
  std::string hint;
};

std::optional<Trouble> trouble_in(std::string_view text) {
  if (text.empty())
    return Trouble{0, "the file is empty", "examples/z640/lab.toml is one to start from"};
  if (text.size() > file_size_max)
    return Trouble{0,
                   fmt::format("the file has {} bytes, more than {}", text.size(), file_size_max),
                   "is this the right file?"};
  if (text.starts_with("\xEF\xBB\xBF") || text.starts_with("\xFF\xFE") ||
      text.starts_with("\xFE\xFF"))
    return Trouble{0, "the file starts with a byte order mark", "save it as UTF-8 without one"};
  if (!is_clean_text(text))
    return Trouble{first_unclean(text), "this byte is not UTF-8 text", "save the file as UTF-8"};
  if (const auto snag = find_snag(text)) return Trouble{snag->at, snag->what, not_read};
  return std::nullopt;
}

Mistake mistake_of(const Trouble& trouble, std::string_view text, std::string_view name) {
  const auto at = position_at(text, trouble.at);
  return {.file = std::string(name),
          .line = at.line,
          .column = at.column,
          .key = {},
          .what = trouble.what,
          .hint = trouble.hint};
}

Mistake mistake_of(const toml::parse_error& error, std::string_view name) {
  const auto at = position_of(error.source());
  return {.file = std::string(name),
          .line = at.line,
          .column = at.column,
          .key = {},
          .what = clean_text(error.description()),
          .hint = not_read};
}

}  // namespace

std::string kind_of(const Node& node) {
  static constexpr std::array names = {
      "text",    "a whole number", "a number with a fraction", "true or false", "a date or time",
      "a table", "a list"};
  return names.at(node.value.index());
}

std::variant<Node, Mistake> parse_toml(std::string_view text, std::string_view name) {
  const auto trouble = trouble_in(text);
  if (trouble) return mistake_of(*trouble, text, name);
  try {
    const auto parsed = toml::parse(text);
    if (!parsed) return mistake_of(parsed.error(), name);
    return copy(parsed.table());
  } catch (const ParserAstray&) {
    return mistake_of(Trouble{0, "this is not TOML", "look for brackets that do not close"}, text,
                      name);
  }
}

}  // namespace relab::lab
