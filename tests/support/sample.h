#pragma once

/// `sample("pve/jobs.cfg")` is the content of a file under tests/data.

#include <fstream>
#include <iterator>
#include <string>

#include "tests/support/must.h"

namespace relab {

inline std::string sample(const std::string& name) {
  std::ifstream file(std::string(RELAB_TEST_DATA) + "/" + name, std::ios::binary);
  if (!file) FAIL("there is no sample " << name);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace relab
