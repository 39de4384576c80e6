/* Drawing the conversation: from a list of lines to elements, touching only what changed.
   Every word of a message goes in through textContent. */

"use strict";

window.Thread = (function () {
  var JOIN_MS = 5 * 60 * 1000; // lines of one voice closer than this share a head and a time
  var VOICES = {
    bot: { face: "安", name: "小安", badge: "AI" },
    check_in: { face: "安", name: "小安", badge: "AI", note: "康复随访" },
    reminder: { face: "安", name: "小安", badge: "AI", note: "就诊提醒" },
    safety: { face: "安", name: "小安", badge: "AI", note: "安全提示" },
  };

  function make(tag, name, text) {
    var element = document.createElement(tag);
    if (name) element.className = name;
    if (text !== undefined) element.textContent = text;
    return element;
  }

  function two(number) {
    return (number < 10 ? "0" : "") + number;
  }

  function clock(date) {
    return two(date.getHours()) + ":" + two(date.getMinutes());
  }

  function dayKey(date) {
    return date.getFullYear() + "-" + two(date.getMonth() + 1) + "-" + two(date.getDate());
  }

  function dayName(date) {
    var today = new Date();
    var yesterday = new Date(today.getFullYear(), today.getMonth(), today.getDate() - 1);
    if (dayKey(date) === dayKey(today)) return "今天";
    if (dayKey(date) === dayKey(yesterday)) return "昨天";
    var words = date.getMonth() + 1 + "月" + date.getDate() + "日 星期" + "日一二三四五六"[date.getDay()];
    return date.getFullYear() === today.getFullYear() ? words : date.getFullYear() + "年" + words;
  }

  function voice(line) {
    if (line.author !== "carer") return VOICES[line.author] || VOICES.bot;
    var name = line.name || "同事";
    return { face: name[0], name: name, badge: "人工", human: true };
  }

  /* What is on the page, as an ordered list of { key, print, draw }. An element is drawn anew only if its print,
     a short text of everything that shows, is another one than before. */
  function plan(lines, typing, hooks) {
    var out = [];
    var before = null;
    var day = "";
    lines.forEach(function (line, index) {
      var date = new Date(line.at);
      var key = dayKey(date);
      if (key !== day) {
        day = key;
        before = null;
        out.push({ key: "day:" + key, print: dayName(date), draw: drawDay });
      }
      if (line.author === "system") {
        before = null;
        out.push({ key: line.key, print: line.text, draw: drawSystem, line: line });
        return;
      }
      var next = lines[index + 1];
      var joined = belongs(before, line);
      var ends = !next || dayKey(new Date(next.at)) !== key || !belongs(line, next) || next.author === "system";
      before = line;
      out.push({
        key: line.key,
        print: [joined, ends, line.state, line.name, line.at, line.problem].join("|"),
        draw: function () {
          return drawLine(line, joined, ends, hooks);
        },
        line: line,
      });
    });
    var offer = openOffer(lines);
    if (offer) {
      out.push({
        key: "choices:" + offer.id,
        print: hooks.chosen(offer) || "",
        draw: function () {
          return drawChoices(offer, hooks);
        },
      });
    }
    if (typing) out.push({ key: "typing", print: "", draw: drawTyping });
    return out;
  }

  function belongs(one, other) {
    return Boolean(one) && one.author === other.author && one.name === other.name &&
      new Date(other.at) - new Date(one.at) < JOIN_MS && one.state !== "lost";
  }

  /* The latest buttons the member has not answered in any way yet. */
  function openOffer(lines) {
    for (var index = lines.length - 1; index >= 0; index--) {
      var line = lines[index];
      if (line.author === "member" && !line.button) return null;
      if (line.author === "member" && line.state !== "lost" && line.state !== "sending") return null;
      if (line.buttons && line.buttons.length) return line;
    }
    return null;
  }

  function drawDay(item) {
    return make("li", "day", item.print);
  }

  function drawSystem(item) {
    return make("li", "system", item.print);
  }

  function drawLine(line, joined, ends, hooks) {
    var item = make("li", "line " + line.author + (joined ? " joined" : "") + (line.state ? " " + line.state : ""));
    item.dataset.author = line.author;
    var words = make("div", "words");
    if (line.author !== "member") {
      var who = voice(line);
      var face = make("span", "face" + (who.human ? " human" : "") + (line.author === "safety" ? " safety" : ""), who.face);
      face.setAttribute("aria-hidden", "true");
      item.appendChild(face);
      if (!joined) {
        var head = make("p", "who");
        head.appendChild(make("span", "", who.name));
        head.appendChild(make("span", "badge" + (who.human ? " human" : ""), who.badge));
        if (who.note) head.appendChild(make("span", "", who.note));
        words.appendChild(head);
      }
    }
    words.appendChild(make("p", "bubble", line.text));
    if (line.state === "sending") words.appendChild(make("p", "after", "发送中"));
    else if (line.state === "lost") words.appendChild(drawLost(line, hooks));
    else if (ends) words.appendChild(make("p", "after", clock(new Date(line.at))));
    item.appendChild(words);
    return item;
  }

  function drawLost(line, hooks) {
    var after = make("p", "after", (line.problem || "未送达") + " ");
    var again = make("button", "", "重试");
    again.type = "button";
    again.addEventListener("click", function () {
      hooks.retry(line);
    });
    after.appendChild(again);
    return after;
  }

  function drawChoices(offer, hooks) {
    var item = make("li", "choices");
    var chosen = hooks.chosen(offer);
    item.setAttribute("role", "group");
    item.setAttribute("aria-label", "可以点选的回答");
    offer.buttons.forEach(function (button) {
      var element = make("button", button.token === chosen ? "chosen" : "", button.title);
      element.type = "button";
      element.disabled = Boolean(chosen);
      element.addEventListener("click", function () {
        hooks.choose(offer, button);
      });
      item.appendChild(element);
    });
    return item;
  }

  function drawTyping() {
    var item = make("li", "line bot");
    item.id = "typing";
    var face = make("span", "face", "安");
    face.setAttribute("aria-hidden", "true");
    var bubble = make("p", "bubble dots");
    bubble.setAttribute("aria-label", "小安正在输入");
    for (var count = 0; count < 3; count++) bubble.appendChild(make("i"));
    var words = make("div", "words");
    words.appendChild(bubble);
    item.appendChild(face);
    item.appendChild(words);
    return item;
  }

  function create(list, hooks) {
    var drawn = new Map();

    return function draw(lines, typing, settled) {
      var wanted = plan(lines, typing, hooks);
      var keys = new Set(wanted.map(function (item) { return item.key; }));
      drawn.forEach(function (old, key) {
        if (!keys.has(key)) {
          old.element.remove();
          drawn.delete(key);
        }
      });
      var place = list.firstChild;
      wanted.forEach(function (item) {
        var old = drawn.get(item.key);
        if (!old || old.print !== item.print) {
          var element = item.draw(item);
          if (!old && settled) element.classList.add("fresh");
          if (old) {
            if (place === old.element) place = old.element.nextSibling;
            old.element.remove();
          }
          drawn.set(item.key, { element: element, print: item.print });
          list.insertBefore(element, place);
        } else if (old.element === place) {
          place = place.nextSibling;
        } else {
          list.insertBefore(old.element, place);
        }
      });
    };
  }

  return { create: create, voice: voice };
})();
