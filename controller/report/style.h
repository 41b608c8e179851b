#pragma once

/// How reports are shown: as text for a terminal or a file, or as GitHub-flavoured Markdown.

#include <cstddef>

namespace relab::controller {

enum class Form { text, markdown };

struct Style {
  Form form = Form::text;
  /// Columns of the terminal, to which text is cut. 0: no terminal, and nothing is cut.
  std::size_t width = 0;
  /// Text only: bold and red by escape sequences.
  bool colour = false;
  /// Markdown only: the level of the topmost heading, from 1 to 6.
  unsigned heading = 2;
};

}  // namespace relab::controller
