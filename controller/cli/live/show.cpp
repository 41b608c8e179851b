#include "controller/cli/live/show.h"

#include <cstdlib>
#include <iostream>
#include <sys/ioctl.h>
#include <unistd.h>

namespace relab::controller::cli {

namespace {

constexpr auto frame_interval = Millis(250);

Screen::Size size_of_terminal() {
  winsize size{};
  if (::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0 || size.ws_row == 0)
    return {};
  return {.columns = size.ws_col, .rows = size.ws_row};
}

}  // namespace

std::unique_ptr<Screen> terminal_screen() {
  return std::make_unique<Screen>([](std::string_view bytes) { std::cerr << bytes << std::flush; },
                                  size_of_terminal);
}

LiveShow::LiveShow(Printer& out) : out_(out), screen_(terminal_screen()) {
  const auto* no_color = std::getenv("NO_COLOR");
  style_.colour = no_color == nullptr || *no_color == '\0';
  out_.keep_above(screen_.get());
}

LiveShow::~LiveShow() { out_.keep_above(nullptr); }

bool LiveShow::is_due(Instant now) const { return now - drawn_ >= frame_interval; }

void LiveShow::draw(const LiveView& view, Instant now) {
  drawn_ = now;
  const auto size = screen_->size();
  style_.width = size.columns;
  screen_->draw(render_live(view, size.rows, style_));
}

}  // namespace relab::controller::cli
