// Any bytes as a lab file: no crash, and a lab if and only if there are no mistakes.

#include <cstddef>
#include <cstdint>

#include "common/base/bytes.h"
#include "controller/lab/lab.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto reading = relab::lab::parse_lab(relab::text_of({data, size}), "fuzz");
  RELAB_ASSERT(reading.lab.has_value() == reading.mistakes.empty());
  return 0;
}
