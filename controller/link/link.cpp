#include "controller/link/link.h"

#include <fmt/format.h>

namespace relab::controller {

Error explain(Trouble trouble, const std::string& agent, const std::string& endpoint,
              const std::string& fingerprint) {
  switch (trouble) {
    case Trouble::none:
    case Trouble::unreachable:
      return {.fault = Fault::unreachable,
              .what = fmt::format("the agent '{}' cannot be reached at {}", agent, endpoint),
              .hint =
                  "is the machine on, the agent started (systemctl status relab-agent), the port "
                  "open to this machine?"};
    case Trouble::silent:
      return {.fault = Fault::unreachable,
              .what = fmt::format(
                  "what listens at {} takes connections and does not answer as the agent '{}'",
                  endpoint, agent),
              .hint =
                  "it hangs, or it is another program: look at the agent there, and at the address "
                  "in lab.toml"};
    case Trouble::other_key:
      return {.fault = Fault::refused,
              .what = fmt::format(
                  "what listens at {} does not hold the key of the agent '{}': expected {}",
                  endpoint, agent, fingerprint),
              .hint =
                  "if that machine was reinstalled, enrol its agent anew; if not, somebody is in "
                  "between"};
    case Trouble::not_admitted:
      return {.fault = Fault::refused,
              .what = fmt::format("the agent '{}' at {} does not obey this controller", agent,
                                  endpoint),
              .hint =
                  "its list of controllers was changed: run `relab-agent enrol` there and `relab "
                  "enrol` here"};
  }
  return {.fault = Fault::unreachable, .what = agent};
}

}  // namespace relab::controller
