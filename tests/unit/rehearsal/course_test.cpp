// The chart of a rehearsal, in its three forms.

#include "controller/rehearsal/course.h"

#include "tests/support/must.h"

namespace relab::rehearsal {

namespace {

constexpr auto begin = Instant(std::chrono::hours(24 * 20'000));

Course two_steps() {
  const auto hour = std::chrono::hours(1);
  return {.began = begin,
          .ended = begin + 10 * hour,
          .bars = {{.phase = "0b",
                    .track = "usb",
                    .step = "disk",
                    .agent = "pve",
                    .began = begin,
                    .ended = begin + hour,
                    .outcome = "succeeded",
                    .person = true},
                   {.phase = "0b",
                    .track = "usb",
                    .step = "write",
                    .agent = "pve",
                    .began = begin + hour,
                    .ended = begin + 10 * hour,
                    .outcome = "failed"}}};
}

}  // namespace

TEST_CASE("course: a line for each step, as long as it takes", "[rehearsal]") {
  const auto text = gantt_text(two_steps(), 60);

  CHECK(text ==
        "0b\n"
        "  usb/disk            0  1 h 0 min |~~                     |\n"
        "  usb/write  +1 h 0 min  9 h 0 min |  !!!!!!!!!!!!!!!!!!!!!| failed\n");
}

TEST_CASE("course: nothing that was ordered is a chart without bars", "[rehearsal]") {
  CHECK(gantt_text({.began = begin, .ended = begin, .bars = {}}, 80).empty());
}

TEST_CASE("course: Mermaid and SVG show every step, and names stay text", "[rehearsal]") {
  auto course = two_steps();
  course.bars[0].step = "a<b>:c";
  const auto mermaid = gantt_mermaid(course, "Rehearsal of z640");
  CHECK(mermaid.starts_with("gantt\n    title Rehearsal of z640\n"));
  CHECK(mermaid.find("section 0b / usb\n") != std::string::npos);
  CHECK(mermaid.find("a<b> c (1 h 0 min) :active, 1728000000000, 1728003600000") !=
        std::string::npos);
  CHECK(mermaid.find("write (9 h 0 min) :crit, ") != std::string::npos);
  const auto svg = gantt_svg(course, "Rehearsal of z640");
  CHECK(svg.find("0b/usb/a&lt;b>:c") != std::string::npos);
  CHECK(svg.find("<b>") == std::string::npos);
  CHECK(svg.ends_with("</svg>\n"));
}

}  // namespace relab::rehearsal
