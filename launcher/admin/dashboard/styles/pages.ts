/** The style sheet's last part: a room's page, the dialog, and what changes on narrow windows. */
const css = String.raw;

export const PAGES = css`
  .facts {
    display: flex;
    flex-wrap: wrap;
    gap: 8px 28px;
    margin: 0;
  }
  .facts > div {
    min-width: 64px;
  }
  .facts .wide {
    min-width: 220px;
    max-width: 460px;
  }
  dt {
    font-size: 12px;
    color: var(--muted);
  }
  dd {
    margin: 0;
    overflow-wrap: anywhere;
  }
  #room {
    margin-top: 4px;
  }
  /* It is this room in every row. */
  [data-live^='/rooms/'] .c-room {
    display: none;
  }
  .task {
    margin-top: 12px;
    padding: 12px 14px;
    border: 1px solid var(--line);
    border-radius: 5px;
  }
  .steps {
    display: flex;
    flex-wrap: wrap;
    gap: 4px 16px;
    padding-top: 10px;
  }
  .log {
    max-height: 420px;
    margin: 8px 0 0;
    padding: 10px 12px;
    overflow: auto;
    border: 1px solid var(--line);
    border-radius: 5px;
    background: var(--raised);
    font: 12px/1.5 var(--mono);
    white-space: pre-wrap;
    overflow-wrap: anywhere;
  }

  dialog {
    max-width: 440px;
    padding: 18px 20px;
    border: 1px solid var(--line);
    border-radius: 6px;
    background: var(--bg);
    color: var(--text);
    overflow-wrap: anywhere;
  }
  dialog::backdrop {
    background: rgb(0 0 0 / 45%);
  }
  dialog p {
    margin: 0 0 10px;
  }
  #ask-what {
    font-size: 14px;
  }
  dialog menu {
    display: flex;
    justify-content: flex-end;
    gap: 10px;
    margin: 0;
    padding: 0;
  }
  .danger {
    border-color: var(--bad);
    color: var(--bad);
  }
  .toast {
    position: fixed;
    right: 20px;
    bottom: 20px;
    margin: 0;
    padding: 10px 16px;
    border-radius: 5px;
    background: var(--text);
    color: var(--bg);
  }

  @media (max-width: 1180px) {
    .top nav {
      display: none;
    }
    .filter {
      margin-left: auto;
    }
    .c-room,
    .c-key {
      width: 150px;
    }
  }
  /* A phone: what a glance needs; the rest is on the room's page. */
  @media (max-width: 720px) {
    html {
      scroll-padding-top: 96px;
    }
    main {
      padding: 10px 12px 48px;
    }
    .top {
      flex-wrap: wrap;
      padding: 8px 12px;
    }
    .about,
    .filter kbd,
    [data-part='legend'] {
      display: none;
    }
    .line {
      margin-left: auto;
    }
    .filter {
      order: 3;
      flex-basis: 100%;
    }
    .filter input {
      width: 100%;
      /* Smaller text makes phones zoom in. */
      font-size: 16px;
    }
    th,
    td {
      padding: 7px 6px;
    }
    .c-profile,
    .c-few,
    .c-bar,
    .c-event,
    #rooms .c-age,
    #tasks .c-key,
    #ends .c-key,
    #events .c-key {
      display: none;
    }
    .c-room,
    .c-key {
      width: auto;
    }
    .c-state {
      width: 96px;
    }
    .c-reason {
      width: 32%;
    }
    .c-use {
      width: 68px;
    }
    .c-age {
      width: 70px;
    }
    .c-act {
      width: 62px;
    }
    .c-time {
      width: 70px;
    }
    .c-what {
      width: 46%;
    }
    /* A stop is on the room's page, where no thumb hits it by chance. */
    #rooms .c-act,
    #tasks .c-act {
      display: none;
    }
    .stop {
      padding: 4px 10px;
    }
    .summary {
      gap: 6px;
    }
    .figure {
      padding: 3px 8px;
    }
    .figure b {
      font-size: 13px;
    }
  }
`;
