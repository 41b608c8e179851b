#include "controller/cli/printer.h"

#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <sys/ioctl.h>
#include <unistd.h>

#include "common/base/text.h"

namespace relab::controller {

namespace {

Style terminal_style() {
  Style style;
  winsize size{};
  if (::isatty(STDOUT_FILENO) == 1) {
    style.width = ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 ? size.ws_col : 80;
    const auto* no_color = std::getenv("NO_COLOR");
    style.colour = no_color == nullptr || *no_color == '\0';
  }
  return style;
}

std::string coloured(const Style& style, const char* code, std::string_view text) {
  return style.colour ? "\033[" + std::string(code) + "m" + std::string(text) + "\033[0m"
                      : std::string(text);
}

}  // namespace

Printer::Printer(Form form) : form_(form), style_(terminal_style()) {}

void Printer::raw(std::string_view text) { std::cout << text << std::flush; }
void Printer::text(std::string_view text) {
  if (!json()) raw(text);
}
void Printer::line(std::string_view line) {
  if (!json()) std::cout << line << "\n" << std::flush;
}
void Printer::value(const nlohmann::json& value) {
  if (json())
    std::cout << value.dump(2, ' ', true, nlohmann::json::error_handler_t::replace) << "\n"
              << std::flush;
}
void Printer::value_text(std::string_view text) {
  if (json()) std::cout << text << (text.ends_with('\n') ? "" : "\n") << std::flush;
}

std::string Printer::harmless(std::string_view text) {
  std::string clean = clean_text(text);
  for (auto& c : clean)
    if ((static_cast<unsigned char>(c) < 0x20 && c != '\n') || c == 0x7F) c = '?';
  return clean;
}

void Printer::note(std::string_view line) { std::cerr << harmless(line) << "\n"; }

void Printer::error(const Error& error) {
  std::cerr << "relab: " << harmless(error.sentence()) << "\n";
  if (!error.hint.empty()) std::cerr << "  " << harmless(error.hint) << "\n";
}

std::string Printer::bold(std::string_view text) const { return coloured(style_, "1", text); }
std::string Printer::good(std::string_view text) const { return coloured(style_, "32", text); }
std::string Printer::bad(std::string_view text) const { return coloured(style_, "31", text); }

bool Printer::healthy() const { return std::cout.good(); }

}  // namespace relab::controller
