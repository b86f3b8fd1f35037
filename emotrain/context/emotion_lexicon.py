"""English words that name a feeling, by the label that each gives away: the list behind the leakage filter.

Written for this project. It starts from the 135 emotion nouns of Shaver, Schwartz, Kirson and O'Connor (1987, Emotion
knowledge, Journal of Personality and Social Psychology 52, figure 1) in the families of that paper's tree, where love
and pride go with joy, envy with anger, shame and neglect with sadness. Added are the labels of MAFW and RAVDESS that
the paper lacks, the names of GoEmotions' classes (Demszky et al. 2020), and everyday verbs and adjectives of the same
families. No lexicon of anyone else's was copied.
"""

from __future__ import annotations

FEELING = "feeling"
"""Family of feelings that are no label of any shipped set: they leak a mood, not an answer."""

STEMS: dict[str, str] = {
    "anger": """
        stern anger angry mad rage rageful outrage enrage fury furious infuriate madden irate ire livid wrath
        wrathful wroth
        hostile hostility ferocity hate hatred hateful resent resentful resentment vengeance vengeful vindictive
        spite spiteful malice malicious malevolent annoy annoyance irritate irritation irritable irk irksome vex
        vexation exasperate exasperation frustrate frustration aggravate aggravation agitate agitation grouchy
        grouch grump grumpy cranky crabby crotchety surly sullen testy tetchy peeve peevish petulant miff indignant
        indignation incense seethe fume bitterness embitter rancor rancour acrimony acrimonious belligerent
        bellicose pugnacious aggression aggressive antagonize antagonism antagonistic scowl snarl glower displease
        displeasure dislike envy envious jealous jealousy torment temper ill-tempered bad-tempered hot-tempered
        offended offend offense umbrage animosity enmity ill-will bile choler rile rankle nettle piqued rabid
        rampage tantrum truculent irascible cantankerous short-tempered ornery churlish bristle huffy cruel cruelty
        ruthless merciless pitiless menace menacing grudge begrudge covet irritability disapprove disapproval
        disapproving
    """,
    "disgust": """
        disgust revulsion revolt repulse repulsion repulsive repugnant repugnance repel repelled repelling abhor
        abhorred abhorring abhorrence abhorrent loathe loathsome detest detestable nauseate nausea nauseous sicken
        queasy squeamish aversion distaste distasteful appall appal grimace abominate abomination abominable
        repellent odious vile yuck yucky retch
    """,
    "fear": """
        fear fearful fearsome afraid fright frighten scare scary terror terrify terrified horror horrify horrified
        horrific panic panicked panicking panicky dread dreadful alarm petrify petrified spook hysteria hysterical
        mortify mortification phobia aghast daunt intimidate cower cringe timid timorous trepidation tremulous
        frightful timidity cowardly coward horrendous panic-stricken terror-stricken fear-stricken horror-stricken
        terrorize terrorise consternation misgiving suspense quail spooky creepy creeped
    """,
    "happiness": """
        happy joy joyful joyous overjoy glad gladden gladness glee gleeful cheer cheery cheerful delight delightful
        elate elation jubilant jubilation exult exultant exultation ecstasy ecstatic euphoria euphoric bliss
        blissful rapture rapturous enrapture enthrall enthral enthrallment thrill exhilarate exhilaration excite
        excitement merry merriment mirth mirthful jolly jolliness jovial joviality gaiety amuse amusement enjoy
        enjoyment enjoyable contentment contented satisfy satisfaction pleased pleasure pleasurable enthuse
        enthusiasm enthusiastic zeal zealous zest zestful eager eagerness hope hopeful optimism optimistic pride
        proud triumph triumphant relief relieved gratify gratification gratitude grateful thankful playful exuberant
        exuberance ebullient buoyant upbeat radiant smile grin laugh laughter chuckle giggle chortle guffaw love
        adore adoration adoring affection affectionate fond fondness liking attraction caring tenderness compassion
        compassionate sentimental sentimentality arousal desire lust passion passionate infatuate infatuation
        longing admire admiration lighthearted light-hearted carefree blithe jocular jocose hilarity hilarious
        genial geniality gusto mischievous giddy gay festive beatific rejoice revel relish savor savour enliven
        enchant enchantment fascinate fascination fervor fervour fervent ardor ardour ardent impassioned devoted
        devotion friendly friendliness amiable affable cordial cordiality warmhearted warm-hearted fulfilled
        fulfillment fulfilment self-satisfied enamored enamoured smitten besotted cherish amorous loving
        tender-hearted comforted solace soothed consoled sanguine ecstasies tickled high-spirited vivacious peppy
        perky chirpy smiley titter snicker snigger cackle happy-go-lucky celebratory celebrate self-assured
        flirtatious coy
    """,
    "sadness": """
        sad sadden sorrow sorrowful unhappy grief grieve grievous woe woeful woebegone misery miserable melancholy
        melancholic melancholia gloom gloomy glum glumness mourn mournful lament lamentation despondent despondency
        depression depressed deject dejection dispirit downcast downhearted disconsolate inconsolable heartbroken
        heartbreak heartache brokenhearted broken-hearted broken-heart crestfallen forlorn desolate desolation
        dolorous doleful lugubrious morose mope somber sombre tearful weep wept weepy sob cry whimper agony agonize
        anguish suffer hurt hurtful guilt guilty shame ashamed shameful regret regretted regretful remorse
        remorseful contrite contrition alienation isolation neglect loneliness lonely lonesome rejection homesick
        homesickness insecurity insecure embarrass embarrassment humiliate humiliation insult pity pitiful sympathy
        sympathetic unhappiness joyless cheerless wretched nostalgia nostalgic pessimism pessimistic bereave sulk
        pout frown upset upsetting distraught downtrodden depress chagrin pathetic piteous plaintive pained painful
        heavy-hearted heavyhearted low-spirited sorrow-stricken grief-stricken griefstricken teary-eyed tear-stained
        bawl wail snivel sniffle blubber pensive wistful brooding listless rueful repent repentance penitent
        commiserate commiseration condole condolence consoled consoling devastated devastation heartsick
        heartrending heart-rending joylessness gloominess downbeat funereal lachrymose self-pity apologetic abashed
        sheepish chastened dolor dolour distressing world-weary excruciating torture lovelorn lovesick unloved
        hangdog
    """,
    "surprise": """
        surprise astonish astonishment amaze amazement astound startle stun shock dumbfound flabbergast stupefy
        thunderstruck awestruck awe wonderment gobsmack speechless agog nonplussed nonplus dumbstruck dumbstricken
        unbelieving disbelief disbelieving incredulous incredulity stupefaction
    """,
    "contempt": """
        contempt contemptuous contemptible scorn scornful disdain disdainful sneer smirk deride derision derisive
        derisory mock mockery condescend condescension supercilious haughty haughtiness superciliousness despise
        disparage belittle jeer scoff smug smugness arrogant arrogance sardonic sarcastic sarcasm cynical cynicism
        patronizing patronising snooty snobbish stuck-up pompous dismissive disrespect disrespectful ridicule taunt
        snide self-important vain vanity conceited sniffy gloat
    """,
    "anxiety": """
        concerned anxious anxiety snxiety nervous nervousness worry worried worrisome unease uneasy uneasiness
        apprehend apprehension apprehensive distress stress stressful jitter jittery jumpy edgy fret fretful antsy
        restless restlessness disquiet perturb foreboding unnerve overwrought fuss fidgety fidget troubled
        preoccupied preoccupation high-strung highly-strung keyed-up nerve-racking nerve-wracking twitchy skittish
        hesitancy wary wariness qualm obsess obsession obsessive self-conscious paranoid paranoia
    """,
    "helplessness": """
        helpless powerless hopeless despair desperate desperation defeat vulnerable vulnerability overwhelm hapless
        impotent impotence resigned resignation despairing submissive futility futile forsaken
    """,
    "disappointment": """
        disappoint disappointment dissatisfy dissatisfaction dissatisfied dishearten discourage discouragement
        dismay disillusion disillusionment disenchant disenchantment disgruntle discontent discontented demoralize
        demoralise unsatisfied unfulfilled unimpressed dissapointed underwhelm letdown
    """,
    "neutral": """
        neutral neutrality expressionless emotionless unemotional impassive deadpan stony-faced poker-faced
        straight-faced blank-faced unexpressive inexpressive inscrutable stolid unreadable stone-faced unperturbed
    """,
    "calm": """
        calm serene serenity tranquil tranquillity tranquility placid peaceful composure untroubled unruffled
        unworried contemplative meditative equanimity even-tempered nonchalant nonchalance insouciant insouciance
    """,
    "tense": "tense tension tenseness",
    "repression": "repress repression",
    FEELING: """
        curious confident doubtful thoughtful bore boredom bored confuse confusion puzzle puzzlement perplex
        perplexity bewilder bewilderment baffle curiosity aloof apathy apathetic indifferent indifference unmoved
        uninterested stoic stoical yearn intrigued mystify mystified mystification flustered fluster disoriented
        hesitant skeptical sceptical skepticism scepticism suspicious suspicion distrust distrustful shy shyness
        bashful coyness sympathise sympathize empathy empathetic empathize moody moodiness weary wearied tedium
        ennui dazed perturbation
    """,
}
"""Lower case, with every inflection that spelling rules make of them (`leakage.emotion_words`)."""

PHRASES: dict[str, str] = {
    "anger": "hot under the collar, seeing red, fed up, ticked off, pissed off, worked up, cross with, cross at",
    "disgust": "grossed out, turned off by",
    "fear": "wide-eyed with, scared stiff, freaked out",
    "happiness": "beaming, in good spirits, looks content, seems content, feels content, appears content, is content",
    "sadness": (
        "in tears, tears up, teary, teary-eyed, close to tears, down in the dumps, feeling down, feeling blue, "
        "looks down in spirits, low spirits, tears"
    ),
    "surprise": "taken aback, caught off guard, jaw-dropping, open-mouthed with",
    "contempt": "looking down on, looks down on, eye roll, eye-roll, rolls his eyes, rolls her eyes, rolls their eyes",
    "anxiety": "on edge, ill at ease, stressed out, butterflies in",
    "helplessness": "gives up, giving up, at a loss, at wit's end",
    "disappointment": "let down by, feels let down, looks let down",
    "neutral": "blank expression, blank face, blank stare, blank look, poker face, straight face, no emotion",
    "calm": "at ease, at peace",
    FEELING: "serious expression, serious face, serious look, pleasant expression",
}
"""Said with more than one word, or with a word that names a feeling in this form alone; not inflected."""
