/* Reads barcodes with the camera, where the browser has a BarcodeDetector: a button that is hidden
   otherwise. `barcodeCamera({button, video, onCode, isPaused, say, texts})` calls `onCode(code)`
   once for each barcode that comes into view. */
"use strict";

window.barcodeCamera = ({ button, video, onCode, isPaused, say, texts }) => {
  const PERIOD = 150; // milliseconds between two looks
  const GONE_AFTER = 1000; // a code that was not seen for so long counts as a new one
  const FORMATS = ["ean_13", "ean_8", "upc_a", "upc_e", "itf", "code_128", "code_39", "qr_code"];
  if (!("BarcodeDetector" in window) || !navigator.mediaDevices?.getUserMedia) return;
  const lastSeen = new Map();
  let stream = null;

  function stop() {
    stream?.getTracks().forEach((track) => track.stop());
    stream = video.srcObject = null;
    video.hidden = true;
    button.setAttribute("aria-pressed", "false");
  }

  async function look(detector) {
    if (!stream) return;
    const found = isPaused() ? [] : await detector.detect(video).catch(() => []);
    const now = performance.now();
    for (const { rawValue } of found) {
      const isNew = !(now - lastSeen.get(rawValue) < GONE_AFTER);
      lastSeen.set(rawValue, now);
      if (isNew && stream) onCode(rawValue);
    }
    setTimeout(() => look(detector), PERIOD);
  }

  async function start() {
    const supported = await window.BarcodeDetector.getSupportedFormats();
    const formats = FORMATS.filter((format) => supported.includes(format));
    stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
    video.srcObject = stream;
    video.hidden = false;
    await video.play();
    button.setAttribute("aria-pressed", "true");
    say(texts.cameraOn);
    look(new window.BarcodeDetector(formats.length ? { formats } : undefined));
  }

  button.hidden = false;
  button.addEventListener("click", () => {
    if (stream) return stop();
    start().catch(() => {
      stop();
      say(texts.cameraRefused, {}, true);
    });
  });
  window.addEventListener("pagehide", stop);
};
