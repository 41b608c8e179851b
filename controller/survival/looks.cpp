#include "controller/survival/looks.h"

#include <chrono>
#include <fmt/format.h>

#include "common/wire/message.h"
#include "controller/gates/testimony.h"

namespace relab::controller {

Look look_at(const Evidences& evidences, const std::string& host, std::uint32_t vmid,
             const std::string& path, std::chrono::seconds max_age) {
  const auto is_it = [&](auto place) {
    return place.getVmid() == vmid && view(place.getPath()) == path;
  };
  const auto heard = hear(
      evidences,
      {.subject = path,
       .agent = host,
       .arm = "pathCheck",
       .about =
           [&](schema::Task::Reader task) {
             return task.isPathCheck() && any_in(task.getPathCheck().getPaths(), is_it);
           },
       .max_age = max_age,
       .supply = {},
       .never = "nobody has looked whether links lead away from there: give a phase before it a "
                "step `path_check`"});
  if (heard.task == nullptr) return {.real = {}, .concern = heard.finding.why};
  for (const auto found : heard.facts().getPathCheck().getPlaces())
    if (is_it(found)) return {.real = str(found.getReal()), .concern = str(found.getWhy())};
  return {.real = {}, .concern = "the look at it tells nothing of it"};
}

}  // namespace relab::controller
