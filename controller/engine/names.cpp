// What people are told of a step.

#include "controller/engine/engine.h"

namespace relab::controller {

std::string_view name(StepState state) {
  switch (state) {
    case StepState::waiting:
      return "waiting";
    case StepState::ordered:
      return "ordered";
    case StepState::accepted:
      return "running";
    case StepState::succeeded:
      return "succeeded";
    case StepState::failed:
      return "failed";
    case StepState::blocked:
      return "blocked";
  }
  return "unknown";
}

std::string_view name(Wait wait) {
  switch (wait) {
    case Wait::nothing:
      return "nothing";
    case Wait::agent:
      return "agent";
    case Wait::evidence:
      return "evidence";
    case Wait::approval:
      return "approval";
    case Wait::person:
      return "person";
    case Wait::nobody:
      return "nobody";
  }
  return "unknown";
}

}  // namespace relab::controller
