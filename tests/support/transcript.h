#pragma once

/// Outputs recorded from real tools, and other files of tests/data.

#include <fstream>
#include <iterator>
#include <string>

#include "agent/host/host.h"
#include "tests/support/must.h"

namespace relab::agent {

inline std::string data_file(const std::string& name) {
  std::ifstream file(std::string(RELAB_TEST_DATA "/") + name, std::ios::binary);
  if (!file) FAIL("there is no test data " << name);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// A recorded command: its first line is "$ command", then follow the parts "--- stdout",
/// "--- stderr" and "--- exit N".
inline Output transcript(const std::string& name) {
  const auto text = data_file(name);
  const std::string out_mark = "--- stdout\n";
  const std::string err_mark = "--- stderr\n";
  const std::string exit_mark = "--- exit ";
  const auto out = text.find(out_mark);
  const auto err = text.find(err_mark);
  const auto exit = text.find(exit_mark);
  if (out == std::string::npos || err == std::string::npos || exit == std::string::npos)
    FAIL(name << " is no transcript");
  const auto out_start = out + out_mark.size();
  const auto err_start = err + err_mark.size();
  return {.status = std::stoi(text.substr(exit + exit_mark.size())),
          .out = text.substr(out_start, err - out_start),
          .err = text.substr(err_start, exit - err_start)};
}

}  // namespace relab::agent
