#include "controller/lab/checks.h"

namespace relab::lab {

void check_lab(schema::Lab::Reader lab, Findings& findings) {
  for (const auto checks : {network_checks(), storage_checks(), guest_checks(), plan_checks()})
    for (const auto& check : checks) check.run(lab, findings);
}

}  // namespace relab::lab
