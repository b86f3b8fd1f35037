"""The words that English prose about a face consists of, each with its class, and those that take a sentence back.

The ways to deny, doubt, suppose or quote are endless; the ways to say what somebody shows are few. So a sentence that
names an emotion counts only where the words of its claim stand in this table and their classes match one of the
sentences of `prose.py`; around the claim a word that is missing is taken for a thing or an action that is seen. Words
are added without danger as long as they deny, doubt, quote and suppose nothing; those that do, and pictures of people
who are not there (a poster, a film), belong to class W.
"""

from __future__ import annotations

import re

WORDS: dict[str, str] = {
    # who shows it
    "O": "he she they",
    "C": "who",
    "u": "him them",
    "T": "it this that there these",
    "P": """man men woman women person persons boy boys girl girls child children kid baby toddler guy lady gentleman
        subject individual individuals speaker actor actress character protagonist figure teenager adult
        patient worker participant student teacher player couple family singer soldier officer doctor
        someone somebody male female reporter politician waiter chef nurse driver athlete musician
        performer contestant guest interviewee bride groom prisoner king queen princess warrior monk
        dancer coach judge lawyer
        businessman businesswoman clerk widow widower cook cashier receptionist caller listener firefighter
        policeman pilot detective surgeon scientist artist painter comedian magician pianist guitarist drummer
        runner swimmer boxer wrestler goalkeeper skater climber cyclist fisherman farmer gardener hunter
        carpenter mechanic engineer electrician plumber janitor cleaner maid butler barber hairdresser tailor
        baker butcher bartender waitress shopkeeper salesman saleswoman librarian secretary manager employee ceo
        senator president minister mayor diplomat journalist anchor blogger youtuber streamer gamer influencer
        photographer bridesmaid groomsman passenger pedestrian tourist traveler traveller hiker camper sailor
        captain guard bodyguard thief burglar robber hostage witness suspect defendant prosecutor juror priest
        nun bishop imam rabbi professor schoolgirl schoolboy pupil graduate freshman newborn infant teen youth
        youngster senior pensioner grandma grandpa elder brunette redhead lad dude chap fellow folks human
        commuter shopper sibling dentist therapist psychologist counselor counsellor pharmacist paramedic
        veterinarian astronaut cowboy knight pirate vampire villain heroine emperor prince duke duchess lord
        servant slave co-worker coworker intern trainee apprentice examiner interviewer interlocutor onscreen
        busker violinist conductor composer""",
    "q": """his her their its man's woman's person's boy's girl's child's subject's individual's speaker's actor's
        actress's character's baby's lady's guy's patient's protagonist's teenager's""",
    "d": "a an the any some",
    # what is seen of them
    "F": """face faces eyes eye brow brows eyebrow eyebrows mouth lip lips jaw nose cheek cheeks teeth forehead
        features smile frown sneer scowl laugh laughter stare gaze glare grin smirk grimace tears tear
        voice posture body hands hand head chin muscle muscles eyelids lids shoulders gesture gestures
        movements movement demeanor demeanour behavior behaviour countenance corners corner fists nostrils
        squint pout wince contact language unit units action smiles cues cue evidence
        finger fingers palm palms ear ears neck throat chest arm arms elbow wrist skin temples temple dimple
        dimples wrinkle furrow crease creases crow's-feet eyelid eyelash eyelashes lashes pupils gum gums tongue
        jawline chinline cheekbones cheekbone nostril philtrum torso leg legs knee knees feet foot breath shrug
        nod sigh yell scream shout cry gasp whimper chuckle giggle microexpression sob complexion blush pallor
        sweat perspiration vein veins stance gait""",
    "M": "mood tone atmosphere way manner",
    "A": """expression expressions emotion emotions feelings state label class category option answer choice
        classification micro-expression sentiment prediction result conclusion description descriptor
        match fit reaction response affect verdict pick decision one""",
    "S": """sense sign signs display hint trace touch air example moment level degree wave kind type form mixture
        indicators indicator markers case instance confidence""",
    "L": "look looks looking looked",
    "V": """video clip frame frames image images picture clips videos footage sequence recording screen left right
        foreground center centre""",
    "K": """hair shirt jacket coat dress suit hat cap glasses sweater t-shirt tie blouse beard ponytail uniform room
        chair table couch sofa car bed bench window door kitchen office street floor ground desk wall
        garden park phone letter microphone outfit vest scarf hoodie clothes classroom counter cup plate
        bag curtain something what off-screen bathroom bedroom hospital forest restaurant stage train bus
        boat water rain snow tree grass lamp computer laptop mirror glass bottle food gift box stairs
        hallway corridor pillow blanket shoulder noise news package spider camera
        mug tablecloth bowl fork spoon knife stove oven fridge sink kitchenette cabinet cupboard shelf shelves
        drawer drawers closet wardrobe suitcase backpack purse wallet umbrella raincoat cardigan pajamas pyjamas
        gown robe apron helmet headphones earphones headset necklace earrings bracelet ring belt boots shoes
        sneakers sandals socks gloves mittens sleeve sleeves collar lapel button buttons zipper pocket pockets
        shorts jeans pants trousers skirt leggings tights blazer tuxedo overalls turtleneck polo headscarf hijab
        turban veil crown bandana headband bun braid braids bangs wig mustache moustache goatee stubble scar
        tattooed freckles lipstick makeup nail nails balcony porch patio yard lawn fence gate driveway sidewalk
        pavement road alley highway bridge tunnel station platform airport plane airplane helicopter truck taxi
        cab bicycle bike motorcycle scooter wheelchair stroller elevator escalator lobby lounge gym pool court
        field pitch track stadium arena beach sand sea ocean lake river pond waterfall mountain hill cliff
        valley desert jungle woods meadow flower flowers bush bushes leaf leaves branch log rock rocks stone
        stones fire campfire fireplace smoke candle candles flame cake balloons present wrapping ribbon envelope
        card parcel contract document documents papers notebook pen pencil keyboard monitor tablet remote
        console controller puppy kitten dog cat horse bird fish rabbit mouse rat snake bear wolf insect bug
        hamburger burger pizza sandwich soup salad coffee tea juice milk wine beer drink meal dinner lunch
        breakfast snack fruit apple lemon banana vegetables bread cheese egg chocolate candy popcorn ice-cream
        grave coffin cemetery church chapel altar whiteboard laboratory lab clinic ward stretcher bandage
        crutches syringe pill pills thermometer stethoscope gun pistol rifle sword stick ball racket puck skis
        snowboard skateboard trophy medal flag certificate sunlight moonlight daylight lights candlelight shade
        shadows sky clouds fog storm wind thunder lightning neighbour neighbor intruder doorway doorstep
        threshold entrance exit hall stairwell ladder windshield seat seats dashboard backseat aisle row booth
        stall market shop store mall supermarket bakery cafe bar pub club hotel motel library bank courtroom
        prison cell cage barn stable farm garage workshop factory warehouse basement attic roof ceiling rug
        carpet mattress sheet sheets towel cloth rag sponge bucket broom vacuum iron trash bin""",
    "a": """young old older younger elderly middle-aged bearded strong deep deepest visible pure genuine slight mild
        intense subtle obvious evident dominant primary main overall predicted detected clear distinct
        sheer great extreme real true certain definite unmistakable best correct final facial emotional
        appropriate fitting suitable likely prominent predominant displayed conveyed expressed shown
        portrayed depicted seen overwhelming profound palpable wide broad big bright warm cheerful small
        single black white red blue green brown yellow dark grey gray pink blond blonde long bald whole
        entire same excited tired frustrated upset irritated annoyed distressed shocked amazed content
        tearful pleased relaxed composed serious stern agitated concerned confused lonely exhausted
        focused attentive enthusiastic amused uneasy alarmed downcast gloomy inferred observed recognized
        recognised identified experienced underlying noticeable visual growing quiet total utter complete
        high heartfelt bitter burning raw restrained teary loud blank flat unilateral one-sided two
        restless watery calm contentment frustration irritation tiredness confusion downturned reflected
        revealed apparent matching evoked communicated emerging sincere
        navy crimson beige purple orange golden silver striped plaid checkered denim leather woolen wooden
        floral braided curly wavy shaved freckled wrinkly slim slender tall short stocky muscular petite chubby
        pregnant veiled masked hooded uniformed well-dressed shirtless barefoot blindfolded injured wounded
        bruised bleeding sunburned tanned pale flushed reddened rosy sweaty sweating moist tear-filled
        tear-stained tearing puffy bloodshot glassy hollow vacant distant steady unwavering rigid stiff frozen
        slack limp loose soft gentle tender timid shy awkward vivid lively animated energetic vibrant radiant
        toothy gummy duchenne closed-mouth open-mouthed wide-eyed tight-lipped knit contracted compressed
        constricted sunken quivering shaky strained brief fleeting lasting sustained prolonged persistent
        momentary sudden rapid quick slow gradual abrupt sharp fierce piercing cold icy hostile aggressive
        defensive uncomfortable comfortable hurt pained anguished distraught devastated heartbroken grieving
        mournful sorrowing weepy weary fatigued sleepy drowsy dull lifeless expressionless emotionless
        thoughtful contemplative pensive reflective curious intrigued interested alert vigilant wary suspicious
        skeptical sceptical incredulous bewildered puzzled perplexed stunned speechless dumbfounded startling
        astonishing eager thrilled ecstatic jubilant elated giddy proud triumphant smug victorious hopeful
        optimistic grateful thankful affectionate loving caring compassionate sympathetic friendly welcoming
        playful mischievous cheeky embarrassed sheepish guilty regretful remorseful apologetic resigned defeated
        dejected despondent discouraged hopeless desperate panicked panicky petrified spooked jumpy nervy
        impatient exasperated fed-up outraged indignant resentful defiant rebellious stubborn resolute confident
        self-assured stoic impassive unmoved unbothered unaffected even straightforward unambiguous strongest
        leading prevailing overriding central principal overarching best-fitting closest unequivocal undeniable
        conclusive explicit discernable perceptible recognizable recognisable identifiable consistent coherent
        characteristic classic hallmark telltale unguarded spontaneous unforced involuntary instinctive
        visceral outright pronounced marked heightened elevated moderate faint fainter stronger weaker bigger
        smaller larger brighter darker softer louder several various multiple many three four five six seven
        eight new teary-eyed averted half-closed half-open lifted tucked protruding jutting set locked glued
        directed angled lined framed dimly-lit close-up""",
    "r": """very really quite clearly obviously visibly extremely deeply slightly somewhat genuinely truly definitely
        certainly absolutely undoubtedly probably mostly mainly primarily predominantly strongly rather
        fairly so more also then still now most especially just simply particularly intensely noticeably
        evidently unmistakably highly incredibly totally completely thoroughly utterly profoundly too
        indeed plainly pretty distinctly openly well accurately immediately suddenly all quietly softly
        loudly heavily directly broadly widely slowly brightly relatively consistently largely both only
        throughout here calmly gently warmly sharply firmly constantly continuously repeatedly briefly
        subtly gradually overwhelmingly emotionally audibly markedly notably genuinely-so freely steadily
        straight nearby silently
        wholly entirely purely positively unquestionably undeniably unequivocally decidedly manifestly palpably
        tangibly perceptibly discernibly conspicuously prominently chiefly principally overtly outwardly
        inwardly sincerely honestly frankly unambiguously conclusively convincingly tightly tensely rigidly
        stiffly abruptly rapidly quickly swiftly hurriedly hastily eagerly energetically vigorously forcefully
        violently aggressively hysterically uncontrollably tenderly lovingly playfully shyly timidly awkwardly
        wearily blankly vacantly intently attentively closely carefully inwards outwards sideways skyward
        backward backwards halfway partially partly increasingly progressively eventually simultaneously
        meanwhile afterwards somehow enough himself herself themselves itself again already super extra awfully
        terribly dreadfully exceedingly immensely enormously tremendously remarkably exceptionally unusually
        acutely keenly bitterly overly wildly fully""",
    # what they do
    "v": """is are was were 're 's seems seem seemed appears appear appeared feels feel felt remains remain remained
        stays stay stayed became becomes become gets""",
    "b": "be been being",
    "l": "like",
    "t": "to",
    "h": "with",
    "H": "has have had",
    "s": """shows show showed expresses express conveys convey displays exhibits exhibit suggests suggest indicates
        indicate signals reveals reveal reflects reflect implies denotes portrays depicts demonstrates
        means experiences radiates exudes betrays evokes wears maintains bears carries presents signal""",
    "g": """showing indicating suggesting expressing conveying displaying exhibiting signaling signalling revealing
        reflecting implying demonstrating feeling experiencing denoting portraying indicative suggestive
        giving wearing maintaining exuding radiating""",
    "G": """sitting standing walking talking speaking smiling crying laughing shouting yelling screaming sobbing
        frowning scowling staring trembling shaking grinning glaring gasping leaning holding turning
        pointing raising lowering lifting opening closing tightening pressing narrowing widening furrowing
        wrinkling clenching pursing drooping stretching dropping covering biting swallowing blinking
        wiping arguing squinting gesturing raised lowered furrowed narrowed widened open opened pressed
        clenched pursed drawn together apart dropped stretched wrinkled tightened parted tilted turned
        pulled pull down up back out upward upwards downward downwards upturned tense tight tensed
        squinted wrinkles raises lowers laughs cries shouts frowns stares stands sits speaks talks screams
        yells leans turns opens closes drops sobs gasps trembles nods grins glares sneers scowls smirks
        grimaces rises widen falls widens walks agape swollen wet running inner outer upper lower
        corrugator combination presence rolls purses furrows clenches squints narrows tightens presses
        covers bites wipes points shakes beaming dancing jumping hugging clapping playing moving away
        forward shut lit curled flared cast glistening bared activated active fixed slumped hunched
        crinkled puffed alone backs steps dressed long-haired seated facing shedding raise whimpers weeps
        weeping recoils recoiling yawning nodding sighing sighs bowed saw sees hears eye-contact hiding
        changes sinks darting stepping lying kneeling kneels pacing throws throwing slams slamming hitting
        punching eating drinking waving embracing hugs kissing holds gripping clutching clutches grips
        lifts listens listening watching watches fidgeting shrugging shrugs tapping touching touches
        rubbing crossing crossed folding folded shivering pushes pushing pulling leaning-in bursting
        breathing breathes stretches yawns stiffens freezes flinches flinching jumps gazes glances
        glancing tremble tears-up rolling wrinkled-up arched knitted scrunched scrunches squeezed curls
        curling puckered bulging talks
        hides regards reacts reacting responds responding greets greeting glance hang hangs hanging shoot shoots
        lift rise drop fall clench quiver quivers twitch twitches twitching shake twist twisted twisting curl
        bite sag sagging slump slumps slumping shrink shrinks shrinking cower cowers cowering crouch crouches
        crouching duck ducks ducking hunch hunches run runs rushes rushing race races racing sprint sprints flee
        flees fleeing backing retreat retreats retreating approach approaches approaching enter enters entering
        leave leaving arrive arrives arriving come comes coming go goes going pass passes passing chase chases
        chasing climb climbs climbing falling collapse collapses collapsing kneel bend bends bending bow bows
        bowing rest rests resting lays lay laying sleep sleeps sleeping wake wakes waking rub rubs scratch
        scratches scratching stroke strokes stroking pat pats patting hug embrace embraces cuddle cuddles
        cuddling kiss kisses hold carry carrying bring bringing taking grab grabs grabbing picks picking put
        puts putting place places placing sets setting pour pours pouring cut cuts cutting cooks cooking wash
        washes washing clean cleans cleaning wipe sweep sweeps sweeping ripping rips rip break breaks breaking
        smash smashes smashing bang banging pound pounds pounding hit hits kick kicks kicking punch punches slap
        slaps slapping shove shoves shoving grip grasp grasps grasping squeeze squeezes squeezing wring wrings
        wringing fidget fidgets tap taps snap snaps snapping clap claps cheer cheers cheering celebrate
        celebrates celebrating dance dances jump leap leaps leaping hop hops hopping skip skips skipping spin
        spins spinning waves spit spits spitting vomit vomits vomiting gag gags gagging cough coughs coughing
        sneeze sneezes sniff sniffs sniffing smell smells smelling taste tastes tasting eat eats drinks chew
        chews chewing swallow swallows breathe exhale exhales exhaling inhale inhales inhaling pant panting
        whisper whispers whispering mutter mutters muttering mumble mumbles mumbling murmur murmurs murmuring
        roar roars roaring growl growls growling snarl snarls snarling hiss hisses hissing shriek shrieks
        shrieking squeal squeals squealing howl howls howling wail wails wailing moan moans moaning groan groans
        groaning sniffle sniffles sniffling giggles giggling chuckles chuckling snicker snickers snickering
        snort snorts snorting beam beams gazing peer peers peering peek peeks peeking blink blinks wink winks
        winking roll avert averts averting close press part parts tighten relax relaxes relaxing loosen loosens
        stretch pulls push draw draws pinch pinches pinched tuck tucks crinkle crinkles crinkling flare flares
        flaring bulge bulges glisten glistens shine shines shining sparkle sparkles sparkling glow glows glowing
        wells welling fill fills filling spill spills stream streams streaming drip drips dripping receive
        receives receiving unwrap unwraps unwrapping discover discovers discovering find finds finding notice
        notices noticing see seeing hear hearing check checks checking waits waiting keep keeps keeping staying
        remaining point pointed throw toss tosses tossing catch catches catching win wins winning lose loses
        losing score scored lost won ride rides riding drive drives driving travel travels work works working
        study studies studying write writes writing types typing calls calling jolt jolts jolting startle
        startles recoil winces wincing cringe cringes cringing grimacing sulk sulks sulking brood broods
        brooding stomp stomps stomping stalk stalks march marches marching wander wanders wandering stroll
        strolls strolling stagger staggers staggering stumble stumbles stumbling trip trips tripping hurry
        hurries hurrying surrounded wrapped buried rested leaned propped tied backlit dimly fixated transfixed
        splayed spread softened softens soften meets met gives backed stepped looked stared shouted yelled
        screamed cried laughed smiled frowned closed fell rose grabbed threw slammed pushed hugged kissed
        covered wiped""",
    # what joins the words
    "o": "of by about",
    "p": """in on at from through during across around into near behind beside over against among under for
        toward towards onto inside outside within beneath underneath above below along past amid amidst
        alongside upon between off""",
    "c": "and",
    "y": "or nor",
    "w": "which",
    "j": "as",
    "U": "while although though given despite",
    "B": "but however",
    "N": "not no neither without never nothing unlikely hardly barely none do does did",
    "R": "unlike lack absence",
    # the writer
    "I": "i we",
    "m": "would will can must should",
    "z": """say think believe guess choose select conclude call classify interpret describe categorize categorise
        characterize characterise identify rate infer read""",
    # when, and which of several: harmless in a sentence of its own beside the one that claims
    "f": """others other another next previous earlier later last first second third once before after until where
        when soon""",
    # what would take a sentence back, and marks
    "W": """if unless may might could whether perhaps maybe possibly yesterday formerly usually often typically
        sometimes generally movie film script story book novel dream song music joke game play acting acts act
        pretend pretends pretending fake feigned staged says said asks told according suppose imagine assume
        supposedly allegedly seemingly reportedly only-if otherwise else yet wait actually hmm why how you your
        my me us our unclear unknown uncertain unable impossible difficult hard hidden doubt opposite ironic
        ironically sarcastic mask poster statue painting caption subtitle subtitles title false provided wrong
        incorrect untrue mistaken lie jokes joking kidding denies deny denied denial denying rejected excluded
        absent minimal low zero chance probability odds likelihood assuming assumption assumptions wishes wish
        hopes hope hoping hoped fears paper theory version role audition rehearsal rehearsing cosplay
        advertisement advert commercial trailer parody skit sketch mimic mimics mimicking imitates imitating
        imitation imitate impression quote quotes quoting quoted simulated simulates simulating television tv
        billboard portrait drawing cartoon comic emoji emojis meme thumbnail cover magazine newspaper photo
        photograph photos photographs sticker logo doll puppet mannequin toy robot avatar reflection wallpaper
        lyrics text headline banner theater theatre sculpture scarecrow tattoo icon animation cgi filter
        annotator annotators rater raters viewer viewers audience critics spectators spectator fans everybody
        everyone anyone anybody nobody people crowd narrator voice-over voiceover commentator prompt question
        instruction instructions hypothesis hypothetical hypothetically conceivable conceivably plausible
        doubtful debatable questionable ambiguous undecided undetermined inconclusive unverifiable speculation
        speculate speculative speculating guesswork guessing insufficient unsure lacks lacking devoid avoids
        avoiding scarcely rarely seldom ostensibly purportedly claim claims claimed claiming alleges denotation
        supposed thinks thought believes believed knows knew wonders wondering wonder expects expected wants
        wanted remembers remembering recalls recalling recall explains mentions mention mentioned reports
        reported states stated tells telling sings dreams dreaming envies mocks mocking masks masking conceals
        concealing disguises disguising faking feigns feigning simulacrum performs performing translation
        translates translated term metaphor irony sarcasm sarcastically jokingly mockingly theatrically
        exaggeratedly falsely wrongly mistakenly regardless depending depends except besides improbable
        unfortunately sorry apologies apologize apologise refuse refuses decline declines declined declining
        hesitate hesitates abstain stranger tomorrow future previously beforehand originally ruled dismissed
        discarded eliminated unfounded unsupported contradicts contradicted contradictory contrary inaccurate
        misleading misled misread misinterpreted mislabeled mislabelled error errors glitch test placeholder
        sample n/a null undefined unspecified unlabeled unlabelled""",
}
"""The words of each class, a word in one class only. W is the class of words that a sentence may never hold."""

PHRASES: tuple[tuple[str, str], ...] = (
    ("n", r"(?<=EMOTION )(?:when|as soon as|once|after)"),
    ("W", r"^had (?:he|she|they|it|the)|were (?:he|she|they) to|an? EMOTION (?:from|for|by|to)"),
    ("B", r"(?<=, )yet(?= (?:it|he|she|they|the|his|her|their|there)\b)"),
    (
        "Z",
        r"(?<=EMOTION )the (?:correct|right|best|likeliest|most likely|most plausible|obvious|only"
        r"|clear) (?:choice|answer|label|fit|"
        r"option|reading|match|category)",
    ),
    ("s", r"makes?(?= EMOTION the\b)"),
    ("K", r"phone calls?"),
    (
        "r",
        r"(?:every|each|per) (?:second|minute)|(?:a|one|two|three|four|five|six|several|a few) (?:brief "
        r"|short )?(?:seconds?|moments?)",
    ),
    ("O", r"i(?= (?:noticed?|saw|see|observed?) (?:the|his|her|an?|how)\b)"),
    (
        "X",
        r"no (?:visible |clear )?signs? of (?:any |strong |particular |a )*emotions?|nothing in (?:his|her"
        r"|their) face (?:moves|changes)|"
        r"without (?:any |much )?(?:change|movement|reaction|expression|smile|emotion)s?(?: (?:in|on) (?:his"
        r"|her|their) face)?",
    ),
    ("z", r"(?:am )?(?:going|go) with"),
    (
        "T",
        r"(?:the )?way (?:he|she|they) [\w\s]{3,50}?(?= (?:suggests?|indicates?|conveys?|shows?|signals?"
        r"|makes? it)\b)|all (?:of )?(?:this|these|that)",
    ),
    ("a", r"(?:on the verge of|close to) tears"),
    ("J", r"based on what (?:i|we) (?:can )?(?:see|observe)|(?:after|upon|on) [\w\s'-]{3,70}(?=, (?:i|we)\b)"),
    ("G", r"(?:each|one) other|out of the (?:window|room|car|house|door)|threw up|throws? up"),
    ("Z", r"(?<=EMOTION )is what (?:i|we) (?:can )?(?:see|observe|detect|read)(?: here)?"),
    ("r", r"in front"),
    ("W", r"in (?:his|her|their) arms(?= (?:is|was|looks?|seems?|appears?|shows?)\b)|resting (?:\w+ )?face"),
    ("Q", r"not (?:present|visible|seen|shown|found|observed|detected)(?! (?:in|on)\b)"),
    ("G", r"keeps? (?=\w+ing\b)|did not (?:expect|see|notice|hear)|gives? way to"),
    ("T", r"what (?:we|i|you) (?:can )?(?:see|observe)(?: here)?(?= is\b)"),
    ("s", r"(?:makes?|make) it (?:plain|clear|obvious|evident)(?: that)?|tells? (?:me|us)(?: that)?"),
    (
        "J",
        r"(?:after|upon|on) (?:re)?(?:watching|viewing|examining|reviewing|considering|looking at|analy[sz]ing"
        r"|weighing|"
        r"checking|studying|observing) [\w\s'-]{3,70}(?=,)|from what (?:i|we|you) can (?:see|observe|tell)"
        r"|in fact|summary|if (?:i|we) (?:must|have to|had to|need to) (?:choose|pick|"
        r"select|name)(?: \w+){0,3}?(?: despite [\w ]+)?(?=,)",
    ),
    ("z", r"settling (?:on|for)|change (?:it|my answer) to"),
    ("r", r"(?<=is )actually|(?<=are )actually|(?<=he )actually|(?<=she )actually|as well"),
    ("a", r"(?:that )?i(?: would)? (?:give|pick|go with|select|use)(?= (?:is|here)\b)"),
    ("r", r"overall$|from ear to ear"),
    ("s", r"keeps(?= an? )"),
    ("h", r"in(?= EMOTION)"),
    (
        "J",
        r"sure|certainly|of course|okay|ok|yes|therefore|thus|hence|so|in conclusion|in summary|to sum up|"
        r"in short|finally|overall|as a result|accordingly|in my (?:opinion|view)|in this case|"
        r"on the other hand|no doubt|surprisingly",
    ),
    (
        "Y",
        r"(?:in|throughout|during|from) (?:the|this) (?:whole |entire |short |provided |last |"
        r"final )?(?:video|clip|scene|image|frames?|sequence|footage|picture)s?(?: clip)?",
    ),
    (
        "J",
        r"here is (?:the|my) (?:answer|analysis|result|label|prediction)|there is (?:absolutely )?no (?:doubt|"
        r"question) that|without (?:a |any )?doubt|most (?:likely|probably)(?! (?:emotion|label|answer|"
        r"expression|category|class|option)\b)|it is (?:very |quite )?(?:clear|evident|obvious|apparent|"
        r"likely|safe to say) that|it can be (?:inferred|concluded|seen|observed) that|(?:we|you|"
        r"i) can (?:clearly )?(?:see|infer|conclude|say)(?: that)?|it (?:seems|appears|"
        r"looks)(?: to me)? (?:that|like|as if|as though)|i am (?:quite |very |fairly |pretty )?(?:sure|"
        r"certain|confident|positive|convinced)(?: that)?|i (?:would )?(?:think|believe|say|guess|conclude|"
        r"infer|argue)(?: that)?|(?:i|we) conclude(?: that)?|my (?:best )?guess is(?: that)?|"
        r"(?:i am )?not (?:entirely |completely |100 ?% )?(?:sure|certain), (?:but|however)|"
        r"i can not be (?:entirely |completely |100 ?% )?(?:sure|certain), but|(?:although|while|"
        r"though) (?:it is (?:hard|difficult) to be|i can not be|i am not) (?:entirely |completely |"
        r"100 ?% )?(?:sure|certain)|it is (?:hard|difficult) to tell from so few frames, but|"
        r"no other (?:label|emotion|option) fits|if i (?:had|have|were|was) (?:forced )?to (?:choose|pick|"
        r"guess|decide|select)(?: (?:one|a single))?(?: label| emotion)?|(?:out )?of (?:the |these |"
        r"all )?(?:\w+ )?(?:options|emotions|labels|categories|classes|choices)|among (?:the |"
        r"these )?(?:\w+ )?(?:options|emotions|labels|categories|classes)|based on the (?:provided|given) \w+|"
        r"after (?:analyzing|analysing|watching|reviewing) the (?:video|clip|frames)",
    ),
    (
        "A",
        r"my (?:final |predicted |own |chosen |best )?(?:answer|conclusion|guess|pick|label|choice|prediction|verdict|"
        r"classification|assessment)",
    ),
    (
        "N",
        r"far from|anything but|fails? to (?:look|seem|appear|be)|(?:stopped|stops) (?:being|looking)|"
        r"no longer|mistaken for|the opposite of",
    ),
    ("p", r"as (?:if|though)(?= \w+ing\b)|to(?= (?:the|his|her|a|an)\b)"),
    (
        "J",
        r"i (?:am|would be|will be) (?:very )?EMOTION to (?:help|assist)|i am EMOTION(?: that)?(?= (?:he|she|"
        r"it|the|this|that|i|we|not|so|you)\b)",
    ),
    (
        "a",
        r"that fits(?: best)?|that best (?:describes|fits|matches|captures|represents)"
        r"(?: (?:the|this)(?: \w+)?? (?:person|man|woman|video|clip|expression|face))?",
    ),
    ("v", r"(?<=answer )should be|(?<=label )should be|(?<=guess )would be"),
    ("a", r"(?:right|best)(?= (?:answer|label|option|class|category|emotion)\b)"),
    ("J", r"looking at (?:the|his|her|these) (?:\w+ )?(?:frames|video|expression|face|images)"),
    ("S", r"(?:textbook|typical|classic) (?:example|case|sign|expression)s?"),
    ("W", r"one of (?:the|his|her|these|those|many|several|seven)|(?<=EMOTION )(?:is|was|would be) an?"),
    ("a", r"(?:category|class|label|option)(?= EMOTION)"),
    ("G", r"(?:changes|moves) (?:very )?little"),
    ("z", r"(?:go|settle) (?:with|for|on)"),
    ("a", r"(?:that )?i (?:would )?(?:assign|detect|see|observe|choose|recogni[sz]e)(?= (?:is|would|here)\b)"),
    ("v", r"(?:is|are|be) in(?= an? EMOTION)"),
    (
        "W",
        r"(?:about|going|supposed|used|meant|said|known|ought|needs?|due|likely|bound|told) to|out of|as if|"
        r"as though|so as|at first|for (?:fun|show)",
    ),
    ("a", r"little(?= (?:boy|girl|child|kid|one|man|woman)\b)"),
    ("A", r"feeling(?= of\b)"),
    ("F", r"the other (?:eye|hand|side|half)"),
    (
        "K",
        r"EMOTION (?:backgrounds?|backdrop|colou?rs?|walls?|lighting|palette|party|music|gr[ae]y|beige|white"
        r"|black|brown|tones?|shades?)",
    ),
    (
        "D",
        r"(?:can|could|would|may) (?:best |also )?be (?:best |most accurately |well )?(?:described|classified|"
        r"labell?ed|categori[sz]ed|characteri[sz]ed|identified|summari[sz]ed)(?: as| by)?|(?:is|are|"
        r"was) (?:best |clearly |most accurately )?(?:described|classified|labell?ed|categori[sz]ed|"
        r"characteri[sz]ed|identified|rated)(?: as| by)",
    ),
    (
        "v",
        r"would (?:most likely |likely )?be|belongs? to|corresponds? to|points? to|is consistent with|"
        r"consistent with|matches|is giving|(?:is|are|was) feeling|(?:turns?|shifts?|changes?) (?:in)?to|"
        r"in a state of|(?:is|are) (?:an? )?(?:clear |strong )?(?:signs?|indicators?) of|(?:is|"
        r"are) (?:filled with|full of|contorted (?:with|in))|widen in|falls? open in|trembling with|"
        r"beaming with|shaking with|can be seen|could be seen",
    ),
    ("s", r"(?:can not|can barely|can hardly|barely) (?:hide|conceal|contain|suppress)|bursts? into|not hiding"),
    ("v", r"can not help but (?:look|feel)|comes across as"),
    (
        "k",
        r"as (?:indicated|shown|evidenced|suggested|seen|expressed|reflected|conveyed|demonstrated|"
        r"can be seen) (?:by|in|from|through)|because(?: of)?|since|judging (?:by|from)|due to|based on|"
        r"considering|shown by",
    ),
    (
        "X",
        r"no (?:other |strong |clear |visible |particular |distinct |significant |facial |"
        r"muscle )*(?:emotions?|expressions?|movements?)(?: (?:is|are))?(?: (?:visible|shown|present))?",
    ),
    ("r", r"a bit|a little|a lot|at all|to me|kind of|nothing but|not (?:only|just|merely|simply)"),
    (
        "a",
        r"(?:on|in|across) (?:his|her|their|the(?: (?:man|woman|person|boy|girl|child|subject|individual|"
        r"speaker|actor|actress|character)'s)?) (?:face|eyes|voice|expression)",
    ),
    ("R", r"rather than|instead of|as opposed to"),
    (
        "Q",
        r"(?:is|are|was|can be|seems?) (?:(?:clearly )?not (?:present|visible|seen|shown)|absent|ruled out|"
        r"excluded|unlikely(?! to))",
    ),
    (
        "Z",
        r"best (?:describes?|fits|matches|captures?|summari[sz]es)|fits (?:best|better|well)|is not hidden|"
        r"fills the room|stands out|dominates?|prevails?|(?<=EMOTION )(?:fits?|describes|matches(?: best)?"
        r"|it is|shows|"
        r"remains|seems (?:most )?likely)",
    ),
)
"""Phrases and the class of the whole; they are looked for before single words. EMOTION stands for a mention."""

MENTION = "[\ue000-\uf8ff]"
"""A mention of an emotion is written as one of these characters before a sentence is cut into words."""

CLASS_OF: dict[str, str] = {word: name for name, words in WORDS.items() for word in words.split()}

_KNOWN = "|".join(
    rf"(?P<{name}{n}>(?<![\w'-])(?:{words.replace('EMOTION', MENTION)})(?![\w'-]))"
    for n, (name, words) in enumerate(PHRASES)
)
TOKEN = re.compile(
    rf"{_KNOWN}|(?P<mention>{MENTION})|(?P<unit>\bau ?\d+)|(?P<word>[^\W\d_](?:[\w'-]*\w)?|'s\b)"
    r"|(?P<box>\[\s*\])|(?P<number>\d*\.?\d+)\s*(?P<percent>%?)"
    r"|(?P<comma>[,():—–\[\]{}+&=|]|(?<=\s)-+(?=\s)|/)|(?P<odd>\S)"
)
"""The parts of a sentence: known phrases first, then mentions, words, numbers and marks."""
