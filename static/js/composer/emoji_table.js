/** The emoji that can be picked, by group, with the words by which they are found. Loaded when the picker first opens. */
export const emojiTable = {
  faces: `
    😀 grin happy smile|😄 smile laugh happy|😁 beam grin teeth|😅 sweat phew relief|😂 joy tears laugh lol|🤣 rofl rolling laugh
    🙂 slight smile ok|😉 wink|😊 blush shy happy|😇 angel halo innocent|🥰 love hearts adore|😍 heart eyes love|😘 kiss
    😋 yum tasty|😜 tongue wink joke|🤪 zany crazy|🤗 hug|🤭 oops giggle|🤫 shush quiet secret|🤔 think hmm|🤨 eyebrow doubt
    😐 neutral meh|😶 silent speechless|😏 smirk|🙄 roll eyes|😬 grimace awkward|😌 relieved calm|😴 sleep tired zzz
    😷 mask sick|🤒 ill fever|🤯 mind blown|🥳 party celebrate|😎 cool sunglasses|🤓 nerd glasses|🧐 monocle inspect
    😕 confused|🙁 sad frown|😮 wow surprised|😳 flushed embarrassed|🥺 please puppy eyes|😢 cry sad tear|😭 sob cry loud
    😤 huff proud|😡 angry mad|🤬 swear curse|💀 skull dead|💩 poo|🤡 clown|👻 ghost|👽 alien|🤖 robot bot`,
  hands: `
    👍 thumbs up yes good +1|👎 thumbs down no bad -1|👌 ok perfect|🤌 pinched what|✌️ victory peace|🤞 fingers crossed luck
    🤘 rock horns|👈 left point|👉 right point|👆 up point|👇 down point|☝️ index one|👋 wave hello bye|🖐️ hand five stop
    ✋ raised hand stop|👏 clap applause bravo|🙌 hooray raised praise|🤝 handshake deal agree|🙏 thanks please pray
    💪 strong muscle|✍️ write|👀 eyes look see|🧠 brain smart|🤷 shrug dunno|🤦 facepalm|🙋 raise me question|🙇 bow sorry
    💁 info tip|🕺 dance|💃 dance|🏃 run hurry|🧑‍💻 developer computer work|🦸 hero`,
  hearts: `
    ❤️ heart love red|🧡 orange heart|💛 yellow heart|💚 green heart|💙 blue heart|💜 purple heart|🖤 black heart
    💔 broken heart|💯 hundred perfect|💥 boom bang|✨ sparkles new magic|⭐ star|🌟 glowing star|🔥 fire hot lit|💤 sleep zzz
    💬 speech talk|💭 thought|🎉 tada party celebrate hooray|🎊 confetti party`,
  nature: `
    🐶 dog|🐱 cat|🦊 fox|🐻 bear|🐼 panda|🐸 frog|🐒 monkey|🐔 chicken|🐧 penguin|🦆 duck|🦉 owl|🐝 bee|🐛 bug insect|🦋 butterfly
    🐌 snail slow|🐢 turtle slow|🐍 snake python|🐙 octopus|🐬 dolphin|🐳 whale docker|🦀 crab rust|🌱 seedling grow|🌳 tree|🌻 flower
    🍀 clover luck|🍂 leaves autumn`,
  food: `
    🍎 apple|🍌 banana|🍓 strawberry|🍋 lemon|🥑 avocado|🍅 tomato|🍞 bread|🧀 cheese|🍕 pizza|🍔 burger|🌮 taco|🍣 sushi|🍜 noodles soup
    🍪 cookie biscuit|🎂 cake birthday|🍰 cake|🍫 chocolate|🍿 popcorn|☕ coffee|🍵 tea|🍺 beer|🍷 wine|🥂 cheers glasses|🍾 champagne`,
  things: `
    💡 idea bulb|📌 pin|📎 clip attach|✏️ pencil edit|📝 memo note|📚 books read|📅 calendar date|📈 up chart|📉 down chart|💻 laptop
    📱 phone|🔋 battery|🔌 plug|🔧 wrench fix|🔨 hammer build|⚙️ gear settings|🧪 test tube experiment|🔍 search look|🔒 lock closed
    🔑 key|🔔 bell|📣 megaphone announce|📦 package ship|🗑️ bin delete|🎁 gift present|🏆 trophy win|🥇 gold first|🎯 target goal
    🎮 game|🎵 music note|🎨 art paint|💰 money`,
  travel: `
    🚀 rocket launch ship|🚢 ship boat harbour|⛵ sail boat|⚓ anchor harbour|✈️ plane flight|🚂 train|🚗 car|🚲 bike|🚧 construction wip
    🏠 home house|🏖️ beach holiday|⛰️ mountain|🌍 world earth|☀️ sun|🌙 moon night|⛅ cloud|🌧️ rain|⛈️ storm|❄️ snow cold|🌈 rainbow|🌊 wave sea|⏰ alarm clock
    ⏳ hourglass wait`,
  signs: `
    ✅ check done yes|☑️ tick box|❌ cross no wrong|❓ question|❗ important|⚠️ warning careful|🚫 forbidden no|🛑 stop|➕ plus add|➖ minus
    ➡️ right arrow|⬆️ up arrow|⬇️ down arrow|🔄 reload again|♻️ recycle|🆕 new|🆗 ok|🔴 red|🟡 yellow|🟢 green|🔵 blue|🏁 finish flag|🚩 red flag`,
};

/** `[{ group, emoji, words }]`. */
export function allEmoji() {
  return Object.entries(emojiTable).flatMap(([group, lines]) =>
    lines
      .split(/[|\n]/)
      .map((entry) => entry.trim())
      .filter(Boolean)
      .map((entry) => {
        const [emoji, ...words] = entry.split(" ");
        return { group, emoji, words: words.join(" ") };
      }),
  );
}
