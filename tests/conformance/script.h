#pragma once

/// A conformance script: commands in lines, which a real machine and a simulated one are given
/// alike.
///
///     # A comment; $NAMES stand for what differs between two runs.
///     zfs snapshot -r $DATASET@once
///     zfs load-key -n datapool <<< 'correct horse battery'
///     @put /tmp/file 'its content'
///
/// A line is the words of one argv: no shell reads them. Single quotes keep spaces in a word. What
/// follows `<<<` is standard input. A word with @ at the beginning of a line is something else than
/// a program: main.cpp lists them.

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"

namespace relab::conformance {

struct Step {
  unsigned line = 0;
  std::vector<std::string> argv;
  std::string input = {};
};

using Variables = std::map<std::string, std::string, std::less<>>;

/// Fault::invalid, with the line, if a quote is open, or a $NAME has no value.
Result<std::vector<Step>> parse_script(std::string_view text, const Variables& variables);

}  // namespace relab::conformance
