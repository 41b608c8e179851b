// A run that is shown while it goes on.

#include "controller/cli/run_part.h"

namespace relab::controller::cli {

namespace {

constexpr auto look_interval = Millis(5000);

}  // namespace

void PartRunner::show_progress(const Going& going, Instant begun) {
  const auto now = now_of_system().steady;
  const bool draws = going.show != nullptr && going.show->is_due(now);
  const bool writes = going.file.is_due(now);
  if (!draws && !writes) return;
  if (now - looked_ >= look_interval) {
    looked_ = now;
    going.news.tell_open_conditions(
        open_behind(going.record.phase, context_.evidences(lab_.reader(), opened_.book.state())));
  }
  const auto view = going.news.view(going.driver.engine(), now - begun);
  if (draws) going.show->draw(view, now);
  if (!writes) return;
  if (const auto written = going.file.write(view, now); !written)
    context_.out().note(fmt::format("warning: `relab watch` will not see how far steps are: {}",
                                    written.error().sentence()));
}

}  // namespace relab::controller::cli
