#pragma once

/// What a new installation would take away that nobody has decided about: it is not asked for, and
/// not given up.

#include <string>
#include <utility>
#include <vector>

#include "controller/gates/gate.h"

namespace relab::controller {

/// Where it is, and what, in words. Not what an installation makes anew by itself, nor the root
/// file system of a guest that the lab file describes.
std::vector<std::pair<std::string, std::string>> undecided_losses(const Evidences& evidences,
                                                                  const std::string& host);

}  // namespace relab::controller
