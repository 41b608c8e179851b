// A run that is shown while it goes on.

#include "controller/cli/run_part.h"

namespace relab::controller::cli {

namespace {

constexpr auto look_interval = Millis(5000);

}  // namespace

void PartRunner::redraw(const Going& going, Instant begun) {
  const auto now = now_of_system().steady;
  if (now - looked_ >= look_interval) {
    looked_ = now;
    going.show->tell_open_conditions(
        open_behind(going.record.phase, context_.evidences(lab_.reader(), opened_.book.state())));
  }
  going.show->redraw(going.driver.engine(), now - begun, now);
}

}  // namespace relab::controller::cli
