#include "controller/cli/printer.h"

#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <sys/ioctl.h>
#include <unistd.h>

#include "common/base/text.h"
#include "controller/cli/live/screen.h"

namespace relab::controller {

namespace {

Style terminal_style() {
  Style style;
  winsize size{};
  if (::isatty(STDOUT_FILENO) == 1) {
    style.width = ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 ? size.ws_col : 80;
    const auto* no_color = std::getenv("NO_COLOR");
    const auto* kind = std::getenv("TERM");
    style.colour = (no_color == nullptr || *no_color == '\0') &&
                   (kind == nullptr || std::string_view(kind) != "dumb");
  }
  return style;
}

bool is_lively_terminal() {
  const auto* kind = std::getenv("TERM");
  return ::isatty(STDERR_FILENO) == 1 && kind != nullptr && *kind != '\0' &&
         std::string_view(kind) != "dumb";
}

std::string coloured(const Style& style, const char* code, std::string_view text) {
  return style.colour ? "\033[" + std::string(code) + "m" + std::string(text) + "\033[0m"
                      : std::string(text);
}

}  // namespace

Printer::Printer(Form form)
    : form_(form), style_(terminal_style()), lively_(form == Form::text && is_lively_terminal()) {}

/// In one go, so that nothing of it lands within what is drawn.
void Printer::print(std::ostream& stream, std::string_view text) {
  if (screen_ != nullptr) screen_->hide();
  stream << text << std::flush;
  if (screen_ != nullptr) screen_->show();
}

void Printer::raw(std::string_view text) { print(std::cout, text); }
void Printer::text(std::string_view text) {
  if (!json()) raw(text);
}
void Printer::line(std::string_view line) {
  if (!json()) print(std::cout, std::string(line) + "\n");
}
void Printer::value(const nlohmann::json& value) {
  if (json())
    print(std::cout, value.dump(2, ' ', true, nlohmann::json::error_handler_t::replace) + "\n");
}
void Printer::value_text(std::string_view text) {
  if (json()) print(std::cout, std::string(text) + (text.ends_with('\n') ? "" : "\n"));
}

std::string Printer::harmless(std::string_view text) {
  std::string clean = clean_text(text);
  for (auto& c : clean)
    if ((static_cast<unsigned char>(c) < 0x20 && c != '\n') || c == 0x7F) c = '?';
  return clean;
}

void Printer::note(std::string_view line) { print(std::cerr, harmless(line) + "\n"); }

void Printer::error(const Error& error) {
  auto text = "relab: " + harmless(error.sentence()) + "\n";
  if (!error.hint.empty()) text += "  " + harmless(error.hint) + "\n";
  print(std::cerr, text);
}

std::string Printer::bold(std::string_view text) const { return coloured(style_, "1", text); }
std::string Printer::good(std::string_view text) const { return coloured(style_, "32", text); }
std::string Printer::bad(std::string_view text) const { return coloured(style_, "31", text); }

bool Printer::healthy() const { return std::cout.good(); }

}  // namespace relab::controller
