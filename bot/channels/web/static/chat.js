/* The page's life: what was said, what is being sent, and the line to the house. */

"use strict";

(function () {
  var SEND_TIMEOUT_MS = 15000;
  var TYPING_AFTER_MS = 250; // a shorter sign would only flicker
  var DOWN_AFTER_MS = 1500; // a break shorter than this is not worth a word
  var SILENT_MS = 40000; // the house gives a sign of life every 15 seconds
  var BACKOFF_MS = [1000, 2000, 4000, 8000, 15000];
  var NEAR_END_PX = 96;
  var NEAR_TOP_PX = 160;

  var $ = function (id) { return document.getElementById(id); };
  var app = document.querySelector(".app");
  var thread = $("thread"), input = $("input"), send = $("send"), count = $("count");
  var limit = Number(app.dataset.textLimit);

  var known = new Map(); // message id → line
  var outgoing = []; // lines still on their way from here
  var chosen = new Map(); // message id of an offer → token that was tapped
  var cursor = 0, first = null, more = false, loaded = false, settled = false;
  var typing = false, typingTimer = null;
  var loadingOlder = false;
  var following = true; // whether the end of the conversation is in view
  var queue = Promise.resolve();
  var title = document.title;

  var draw = window.Thread.create($("lines"), {
    retry: function (line) { retry(line); },
    choose: function (offer, button) { choose(offer, button); },
    chosen: function (offer) { return chosen.get(offer.id); },
  });

  /* ---- state to screen ---- */

  function lines() {
    var said = Array.from(known.values()).sort(function (a, b) { return a.seq - b.seq; });
    return said.concat(outgoing);
  }

  function render(follow) {
    var stay = follow || following;
    var all = lines();
    draw(all, typing, settled);
    $("wait").hidden = loaded || !$("broken").hidden;
    $("empty").hidden = !loaded || all.length > 0;
    $("notice").hidden = more;
    if (stay) toEnd();
  }

  function nearEnd() {
    return thread.scrollHeight - thread.scrollTop - thread.clientHeight < NEAR_END_PX;
  }

  function toEnd() {
    following = true;
    thread.scrollTop = thread.scrollHeight;
    $("jump").hidden = true;
  }

  function take(line, announce) {
    if (known.has(line.id)) return;
    line.key = line.id;
    if (line.author === "member") {
      var mine = outgoing.find(function (out) {
        return out.messageId === line.id || (!out.messageId && out.text.trim() === line.text.trim());
      });
      if (mine) {
        outgoing.splice(outgoing.indexOf(mine), 1);
        line.key = mine.key; // the bubble stays where it is
      }
    }
    known.set(line.id, line);
    if (announce && line.author !== "member") {
      setTyping(false);
      speak(line);
      if (!following) $("jump").hidden = false;
    }
  }

  function speak(line) {
    var who = line.author === "system" ? "" : window.Thread.voice(line).name + "：";
    $("spoken").textContent = who + line.text;
    if (document.hidden) document.title = "● 有新消息 · " + title;
  }

  function setTyping(on) {
    clearTimeout(typingTimer);
    if (!on) {
      if (typing) { typing = false; render(); }
      return;
    }
    typingTimer = setTimeout(function () { typing = true; render(); }, TYPING_AFTER_MS);
  }

  function setOwner(owner) {
    var human = owner && owner.name;
    $("top-name").textContent = human ? owner.name : "小安";
    $("top-badge").textContent = owner ? "人工" : "AI 助手";
    $("top-badge").classList.toggle("human", Boolean(owner));
    $("top-face").textContent = human ? owner.name[0] : "安";
    $("top-face").classList.toggle("human", Boolean(owner));
    var line = $("top-line");
    line.textContent = human ? (owner.title ? owner.title + " · " : "") + "正在和您聊" : line.dataset.brand;
    $("hint-line").textContent = owner ? "现在是同事在和您聊，AI 助手不会插话" : "AI 助手的回答不能代替医生的诊断";
  }

  /* ---- reading ---- */

  function get(query) {
    return fetch("/chat/messages" + query, { credentials: "same-origin", headers: { Accept: "application/json" } })
      .then(function (answer) {
        if (answer.status === 401) throw new Error("no_visit");
        if (!answer.ok) throw new Error("status");
        return answer.json();
      });
  }

  function load() {
    $("broken").hidden = true;
    $("wait").hidden = false;
    get("").then(function (page) {
      page.messages.forEach(function (line) { take(line, false); });
      cursor = page.cursor;
      first = page.first;
      more = page.more;
      loaded = true;
      setOwner(page.owner);
      render(true);
      settled = true;
      connect();
    }).catch(function (error) {
      $("wait").hidden = true;
      $("broken-words").textContent = error.message === "no_visit"
        ? "这个浏览器没有保存会话，请允许 Cookie 后刷新页面。"
        : "消息没有加载出来，请检查网络。";
      $("broken").hidden = false;
    });
  }

  function fillGap() {
    return get("?after=" + cursor).then(function (page) {
      var before = cursor;
      page.messages.forEach(function (line) { take(line, true); });
      cursor = Math.max(cursor, page.cursor);
      setOwner(page.owner);
      render();
      if (page.more && cursor > before) return fillGap();
      return undefined;
    });
  }

  function older() {
    if (!more || loadingOlder || first === null) return;
    loadingOlder = true;
    var strip = $("older");
    strip.textContent = "正在加载更早的消息…";
    strip.hidden = false;
    get("?before=" + first).then(function (page) {
      var height = thread.scrollHeight, top = thread.scrollTop;
      page.messages.forEach(function (line) { take(line, false); });
      more = page.more;
      first = page.first === null ? first : page.first;
      strip.hidden = true;
      settled = false;
      render();
      settled = true;
      thread.scrollTop = top + thread.scrollHeight - height;
      loadingOlder = false;
    }).catch(function () {
      strip.textContent = "更早的消息没有加载出来。";
      var again = document.createElement("button");
      again.type = "button";
      again.textContent = "再试一次";
      again.addEventListener("click", function () { loadingOlder = false; older(); });
      strip.appendChild(again);
    });
  }

  /* ---- the line to the house ---- */

  var source = null, down = false, downTimer = null, goodTimer = null, reconnectTimer = null, watchdog = null;
  var failures = 0;

  function connect() {
    clearTimeout(reconnectTimer);
    if (source) source.close();
    source = new EventSource("/chat/events?after=" + cursor);
    source.onopen = function () {
      failures = 0;
      alive();
      clearTimeout(downTimer);
      downTimer = null;
      if (down) fillGap().then(restored, function () { broken(); });
    };
    source.onerror = function () { broken(); };
    source.addEventListener("beat", alive);
    source.addEventListener("message", function (event) {
      alive();
      var line = JSON.parse(event.data);
      take(line, true);
      cursor = Math.max(cursor, Number(event.lastEventId) || 0);
      render();
    });
    source.addEventListener("typing", function (event) {
      alive();
      setTyping(JSON.parse(event.data).on);
    });
    source.addEventListener("owner", function (event) {
      alive();
      setOwner(JSON.parse(event.data).owner);
    });
  }

  function alive() {
    clearTimeout(watchdog);
    watchdog = setTimeout(function () { broken(); connect(); }, SILENT_MS);
  }

  function broken() {
    clearTimeout(watchdog);
    setTyping(false);
    if (!down && !downTimer) {
      downTimer = setTimeout(function () {
        down = true;
        clearTimeout(goodTimer);
        bar("已断线，正在重连…", false);
      }, DOWN_AFTER_MS);
    }
    // The browser reconnects by itself after a network break, but gives up after an error answer.
    clearTimeout(reconnectTimer);
    var wait = BACKOFF_MS[Math.min(failures++, BACKOFF_MS.length - 1)];
    reconnectTimer = setTimeout(function () {
      if (!source || source.readyState !== 1) connect();
    }, wait);
  }

  function restored() {
    down = false;
    bar("已恢复", true);
    goodTimer = setTimeout(function () { $("link").hidden = true; }, 2500);
  }

  function bar(words, good) {
    var link = $("link");
    link.textContent = words;
    link.classList.toggle("good", good);
    link.hidden = false;
  }

  /* ---- writing ---- */

  function newId() {
    var bytes = crypto.getRandomValues(new Uint8Array(16));
    return Array.from(bytes, function (byte) { return (byte < 16 ? "0" : "") + byte.toString(16); }).join("");
  }

  function say(text, button) {
    var line = {
      id: newId(), author: "member", text: text, button: button || null, at: new Date().toISOString(),
      state: "sending", buttons: [],
    };
    line.key = "out:" + line.id;
    outgoing.push(line);
    render(true);
    post(line);
  }

  function retry(line) {
    line.state = "sending";
    line.problem = "";
    if (line.offer) chosen.set(line.offer, line.button);
    render(true);
    post(line);
  }

  function post(line) {
    queue = queue.then(function () { return deliver(line); });
  }

  function deliver(line) {
    var stop = new AbortController();
    var timer = setTimeout(function () { stop.abort(); }, SEND_TIMEOUT_MS);
    var body = { id: line.id, text: line.text };
    if (line.button) body.button = line.button;
    return fetch("/chat/messages", {
      method: "POST",
      credentials: "same-origin",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
      signal: stop.signal,
    }).then(function (answer) {
      if (answer.status === 202) return answer.json().then(function (given) { arrived(line, given.message_id); });
      lost(line, { 401: "会话已失效，请刷新页面", 429: "发得太快了，稍等再试", 413: "太长了，没有发出" }[answer.status]);
      return undefined;
    }).catch(function () { lost(line); }).then(function () { clearTimeout(timer); });
  }

  function arrived(line, messageId) {
    if (outgoing.indexOf(line) < 0) return; // the stream was faster
    line.state = "";
    line.messageId = messageId;
    render();
    if (messageId && !known.has(messageId)) {
      // Normally the stream brings it within a moment; if the stream is down, fetch it.
      setTimeout(function () { if (outgoing.indexOf(line) >= 0) fillGap().catch(function () {}); }, 1500);
    } else {
      outgoing.splice(outgoing.indexOf(line), 1); // a repeat: the house has it already
      fillGap().catch(function () {});
    }
  }

  function lost(line, problem) {
    if (outgoing.indexOf(line) < 0) return;
    line.state = "lost";
    line.problem = problem || "";
    if (line.offer) chosen.delete(line.offer);
    render();
    $("spoken").textContent = "消息没有送达，可以重试。";
  }

  function choose(offer, button) {
    if (chosen.has(offer.id)) return;
    outgoing = outgoing.filter(function (line) { return !(line.state === "lost" && line.offer === offer.id); });
    chosen.set(offer.id, button.token);
    say(button.title, button.token);
    outgoing[outgoing.length - 1].offer = offer.id;
    input.focus({ preventScroll: true });
  }

  /* ---- composer ---- */

  var composing = false;

  function grow() {
    input.style.height = "auto";
    input.style.height = Math.min(input.scrollHeight, 140) + "px";
    send.disabled = !input.value.trim();
    var left = limit - input.value.length;
    count.hidden = left > 200;
    count.textContent = left > 0 ? "还可以写 " + left + " 个字" : "已到 " + limit + " 字上限";
    count.classList.toggle("full", left <= 0);
  }

  function submit() {
    var text = input.value.replace(/\u0000/g, "").trim();
    if (!text || !loaded) return;
    input.value = "";
    grow();
    say(text);
    input.focus({ preventScroll: true });
  }

  input.addEventListener("compositionstart", function () { composing = true; });
  input.addEventListener("compositionend", function () { composing = false; grow(); });
  input.addEventListener("input", grow);
  input.addEventListener("keydown", function (event) {
    if (event.key !== "Enter" || event.shiftKey) return;
    // 229 is what an input method reports, also for the Enter that ends a composition in Safari.
    if (composing || event.isComposing || event.keyCode === 229) return;
    event.preventDefault();
    submit();
  });
  $("composer").addEventListener("submit", function (event) {
    event.preventDefault();
    if (!composing) submit();
  });
  $("empty").addEventListener("click", function (event) {
    var chip = event.target.closest("button[data-say]");
    if (chip) say(chip.dataset.say);
  });
  $("broken-retry").addEventListener("click", load);
  $("jump").addEventListener("click", toEnd);
  thread.addEventListener("scroll", function () {
    following = nearEnd();
    if (following) $("jump").hidden = true;
    if (thread.scrollTop < NEAR_TOP_PX && loaded) older();
  }, { passive: true });
  if (window.ResizeObserver) {
    // The keyboard, a growing composer or the bar of a broken line must not push the end out of view.
    new ResizeObserver(function () { if (following) toEnd(); }).observe(thread);
  }
  window.addEventListener("offline", function () { if (loaded) broken(); });
  window.addEventListener("online", function () { if (loaded) connect(); });
  document.addEventListener("visibilitychange", function () {
    if (document.hidden || !loaded) return;
    document.title = title;
    fillGap().catch(function () { broken(); });
    if (!source || source.readyState === 2) connect();
  });

  load();
  grow();
})();
