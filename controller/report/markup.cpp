#include "controller/report/markup.h"

#include <algorithm>
#include <fmt/format.h>

#include "controller/report/escape.h"

namespace relab::controller {

namespace {

std::string in_colour(const Style& style, std::string_view code, std::string text) {
  if (!style.colour || text.empty()) return text;
  return fmt::format("\x1b[{}m{}\x1b[0m", code, text);
}

}  // namespace

std::string harmless(const Style& style, std::string_view text) {
  return style.form == Form::markdown ? markdown_text(text) : visible(text);
}

std::string bold(const Style& style, std::string text) {
  if (style.form == Form::markdown) return fmt::format("**{}**", text);
  return in_colour(style, "1", std::move(text));
}

std::string alarming(const Style& style, std::string text) {
  if (style.form == Form::markdown) return fmt::format("**{}**", text);
  return in_colour(style, "1;31", std::move(text));
}

std::string line(const Style& style, std::string text) {
  return text + (style.form == Form::markdown ? "\n\n" : "\n");
}

std::string heading(const Style& style, unsigned depth, std::string_view title) {
  if (style.form == Form::markdown) {
    const auto level = std::clamp(style.heading + depth, 1U, 6U);
    return fmt::format("{} {}\n\n", std::string(level, '#'), markdown_text(title));
  }
  return bold(style, visible(title)) + "\n";
}

std::string entry(const Style& style, std::string_view name, std::string_view value,
                  std::size_t name_width) {
  const auto shown = harmless(style, value);
  if (style.form == Form::markdown) return fmt::format("- {}: {}\n", markdown_text(name), shown);
  const auto plain = visible(name);
  const auto space = std::max(name_width, width_of(plain)) - width_of(plain) + 2;
  return fmt::format("{}{}{}\n", plain, std::string(space, ' '), shown);
}

}  // namespace relab::controller
