#include "common/base/result.h"

#include <cstdio>
#include <cstdlib>

namespace relab {

std::string_view name(Fault fault) {
  switch (fault) {
    case Fault::invalid:
      return "invalid";
    case Fault::refused:
      return "refused";
    case Fault::missing:
      return "missing";
    case Fault::conflict:
      return "conflict";
    case Fault::busy:
      return "busy";
    case Fault::unreachable:
      return "unreachable";
    case Fault::unsupported:
      return "unsupported";
    case Fault::damaged:
      return "damaged";
    case Fault::cancelled:
      return "cancelled";
  }
  return "unknown";
}

std::string Error::sentence() const {
  std::string text;
  for (auto step = during.rbegin(); step != during.rend(); ++step) text += *step + ": ";
  return text + what;
}

void assertion_failed(const char* expression, const char* file, int line) {
  std::fprintf(stderr, "relab: internal error: %s does not hold (%s:%d)\n", expression, file, line);
  std::abort();
}

}  // namespace relab
