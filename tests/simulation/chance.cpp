#include "tests/simulation/chance.h"

#include <algorithm>
#include <cstring>
#include <sodium.h>

namespace relab::sim {

namespace {

Chance& of_sodium() {
  static Chance chance(0);
  return chance;
}

const char* name() { return "relab-simulation"; }
std::uint32_t draw() { return static_cast<std::uint32_t>(of_sodium().word()); }
void stir() {}
void fill(void* const start, const std::size_t size) {
  auto* to = static_cast<std::uint8_t*>(start);
  for (std::size_t done = 0; done < size; done += sizeof(std::uint64_t)) {
    const auto word = of_sodium().word();
    std::memcpy(to + done, &word, std::min(sizeof word, size - done));
  }
}

}  // namespace

std::uint64_t Chance::word() {
  state_ += 0x9e3779b97f4a7c15U;
  auto mixed = state_;
  mixed = (mixed ^ (mixed >> 30U)) * 0xbf58476d1ce4e5b9U;
  mixed = (mixed ^ (mixed >> 27U)) * 0x94d049bb133111ebU;
  return mixed ^ (mixed >> 31U);
}

Millis Chance::between(Millis least, Millis most) {
  return least + Millis(below(static_cast<std::uint64_t>((most - least).count()) + 1));
}

void draw_everything_from(std::uint64_t seed) {
  static randombytes_implementation source{.implementation_name = name,
                                           .random = draw,
                                           .stir = stir,
                                           .uniform = nullptr,
                                           .buf = fill,
                                           .close = nullptr};
  of_sodium() = Chance(seed ^ 0x5eedU);
  static const bool set = randombytes_set_implementation(&source) == 0;
  static_cast<void>(set);
}

}  // namespace relab::sim
