#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <set>

#include "common/base/text.h"
#include "controller/rehearsal/course.h"

namespace relab::rehearsal {

namespace {

Millis length_of(const Course& course) { return std::max(course.ended - course.began, Millis(1)); }

/// Where a moment is on a line of so many parts.
double place_of(const Course& course, Instant moment, double parts) {
  const auto from = std::max(moment - course.began, Millis(0));
  return parts * static_cast<double>(from.count()) / static_cast<double>(length_of(course).count());
}

/// "+3 h 12 min", since the beginning.
std::string offset(const Course& course, Instant moment) {
  const auto since = moment - course.began;
  return since < Millis(1000) ? std::string("0") : "+" + human(since);
}

std::string span_of(const Bar& bar) {
  const auto span = bar.ended - bar.began;
  return span < Millis(1) ? std::string("0 s") : human(span);
}

std::string bar_text(const Course& course, const Bar& bar, std::size_t room) {
  const auto parts = static_cast<double>(room);
  const auto first =
      std::min(static_cast<std::size_t>(place_of(course, bar.began, parts)), room - 1);
  const auto last = std::clamp(
      static_cast<std::size_t>(std::lround(place_of(course, bar.ended, parts))), first + 1, room);
  const char sign = bar.outcome == "succeeded" ? (bar.person ? '~' : '#') : '!';
  return std::string(first, ' ') + std::string(last - first, sign) + std::string(room - last, ' ');
}

/// Mermaid takes names up to a colon, and no line of its own in them.
std::string plain(std::string_view text) {
  std::string name;
  for (const char c : text) name += c == ':' || c == ';' || c == '#' || c == '\n' ? ' ' : c;
  return clean_text(name);
}

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : clean_text(text)) {
    if (c == '<')
      out += "&lt;";
    else if (c == '&')
      out += "&amp;";
    else if (c == '"')
      out += "&quot;";
    else
      out += c;
  }
  return out;
}

std::string_view colour_of(const Bar& bar) {
  if (bar.outcome != "succeeded") return "#b3261e";
  return bar.person ? "#9a6700" : "#1f6f54";
}

}  // namespace

std::string gantt_text(const Course& course, std::size_t width) {
  constexpr std::size_t least_room = 20;
  std::size_t names = 4;
  std::size_t offsets = 0;
  std::size_t spans = 0;
  for (const auto& bar : course.bars) {
    names = std::max(names, bar.name().size());
    offsets = std::max(offsets, offset(course, bar.began).size());
    spans = std::max(spans, span_of(bar).size());
  }
  const auto taken = 2 + names + 2 + offsets + 2 + spans + 3;
  const auto room = width > taken + least_room ? width - taken : least_room;
  std::string text;
  std::string phase;
  for (const auto& bar : course.bars) {
    if (bar.phase != phase) text += fmt::format("{}\n", clean_text(bar.phase));
    phase = bar.phase;
    text += fmt::format("  {:{}}  {:>{}}  {:>{}} |{}|{}\n", clean_text(bar.name()), names,
                        offset(course, bar.began), offsets, span_of(bar), spans,
                        bar_text(course, bar, room),
                        bar.outcome == "succeeded" ? std::string() : " " + bar.outcome);
  }
  return text;
}

std::string gantt_mermaid(const Course& course, std::string_view title) {
  std::string text = fmt::format(
      "gantt\n    title {}\n    dateFormat x\n    axisFormat %d %b %H:%M\n", plain(title));
  std::string section;
  for (const auto& bar : course.bars) {
    const auto here = fmt::format("{} / {}", bar.phase, bar.track);
    if (here != section) text += fmt::format("    section {}\n", plain(here));
    section = here;
    // Mermaid shows nothing of a bar without a length.
    const auto ended = std::max(bar.ended, bar.began + Millis(1000));
    text +=
        fmt::format("    {} ({}) :{}{}, {}\n", plain(bar.name().substr(bar.track.size() + 1)),
                    plain(span_of(bar)),
                    bar.outcome == "succeeded" ? (bar.person ? "active, " : "done, ") : "crit, ",
                    unix_millis(bar.began), unix_millis(ended));
  }
  return text;
}

std::string gantt_svg(const Course& course, std::string_view title) {
  constexpr double label = 260;
  constexpr double line = 22;
  constexpr double chart = 640;
  constexpr double note = 150;
  const auto height = line * (static_cast<double>(course.bars.size()) + 3);
  std::string text = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {0} {1}\" width=\"{0}\" "
      "height=\"{1}\" font-family=\"sans-serif\" font-size=\"13\">\n"
      "<title>{2}</title>\n<rect width=\"{0}\" height=\"{1}\" fill=\"#ffffff\"/>\n"
      "<text x=\"8\" y=\"{3}\" font-size=\"15\" font-weight=\"bold\">{2}</text>\n",
      label + chart + note, height, escaped(title), line);
  auto y = 2 * line;
  for (const auto& bar : course.bars) {
    const auto from = label + place_of(course, bar.began, chart);
    const auto to = std::max(label + place_of(course, bar.ended, chart), from + 2);
    text += fmt::format(
        "<text x=\"8\" y=\"{:.1f}\">{}</text>\n"
        "<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\" rx=\"2\" "
        "fill=\"{}\"/>\n"
        "<text x=\"{:.1f}\" y=\"{:.1f}\" fill=\"#555555\">{}{}</text>\n",
        y + line * 0.7, escaped(fmt::format("{}/{}", bar.phase, bar.name())), from, y + line * 0.2,
        to - from, line * 0.6, colour_of(bar), to + 6, y + line * 0.7, escaped(span_of(bar)),
        bar.outcome == "succeeded" ? std::string() : ", " + escaped(bar.outcome));
    y += line;
  }
  return text + "</svg>\n";
}

}  // namespace relab::rehearsal
